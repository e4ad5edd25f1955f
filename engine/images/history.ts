import type { Digest } from '../api/digest.ts';
import type { ImageHistory } from '../api/wire/made-images.ts';
import type { ImageConfig } from './config.ts';
import { tagText } from './find.ts';
import type { ImageRow, ImageRows } from './rows.ts';

/**
 * The steps that an image was made in, newest first. Those whose image is here have its id and names: the image itself,
 * and those that it was made from (moby, `ImageHistory`).
 */
export function historyOf(
  { rows, configOf }: { readonly rows: ImageRows; readonly configOf: (id: Digest) => ImageConfig },
  image: ImageRow,
): readonly ImageHistory[] {
  const sizes = rows.sizesOf(image.id);
  let layer = 0;
  const steps = configOf(image.id).history.map((item) => {
    const size = item.emptyLayer ? 0 : (sizes[layer] ?? 0);
    if (!item.emptyLayer) layer += 1;
    return { ...item, size };
  });
  let made: ImageRow | undefined = image;
  return steps.toReversed().map(({ created, createdBy, comment, size }) => {
    const id = made?.id;
    const tags = id === undefined ? [] : rows.namesOf(id).map(tagText);
    made = made?.parentId === undefined ? undefined : rows.image(made.parentId);
    return {
      Id: id ?? '<missing>',
      Created: Math.floor(Date.parse(created) / 1000),
      CreatedBy: createdBy,
      Tags: tags.length === 0 ? null : tags,
      Size: size,
      Comment: comment,
    };
  });
}

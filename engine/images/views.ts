import type { Digest } from '../api/digest.ts';
import type { Filters } from '../api/fields.ts';
import type { ImageInspect, ImageSummary } from '../api/wire.ts';
import type { ImageConfig } from './config.ts';
import { imageFilter } from './filter.ts';
import { digestText, findImage, tagText } from './find.ts';
import type { ImageRow, ImageRows } from './rows.ts';
import type { ImageUser } from './types.ts';

/** Images as the Engine API shows them. */

type Source = { readonly rows: ImageRows; readonly configOf: (id: Digest) => ImageConfig };

const NEVER = '0001-01-01T00:00:00Z';

/** The images that the filters let through, newest first. Throws `invalid` and `notFound` on account of a filter. */
export function listImages({ rows, configOf }: Source, filters: Filters): readonly ImageSummary[] {
  const narrow = imageFilter(filters, (name) => Date.parse(configOf(findImage(rows, name).image.id).created));
  const tags = Map.groupBy(rows.names(), (name) => name.imageId);
  const digests = Map.groupBy(rows.digests(), (name) => name.imageId);
  return rows
    .images()
    .flatMap((row) => {
      const { created, config } = configOf(row.id);
      const image = narrow({
        row,
        tags: (tags.get(row.id) ?? []).map(tagText),
        digests: (digests.get(row.id) ?? []).map(digestText),
        labels: config.Labels ?? null,
        createdMs: Date.parse(created),
      });
      return image ?? [];
    })
    .toSorted((a, b) => b.createdMs - a.createdMs)
    .map(({ row, tags: names, digests: repoDigests, labels, createdMs }) => ({
      Id: row.id,
      ParentId: rows.image(row.parentId ?? '')?.id ?? '',
      RepoTags: names,
      RepoDigests: repoDigests,
      Created: Math.floor(createdMs / 1000),
      Size: row.sizeBytes,
      // Not counted, as dockerd says it where it was not asked to.
      SharedSize: -1,
      Labels: labels,
      Containers: -1,
    }));
}

/** All images, with the blobs that are kept of them, what they share with others and how many containers use them. */
export function imagesInUse(
  source: Source,
  usersOf: (id: string) => readonly ImageUser[],
): readonly ImageSummary[] {
  const shared = source.rows.sharedSizes();
  const held = source.rows.blobs.held();
  return listImages(source, {}).map((image) => ({
    ...image,
    Size: image.Size + (held.get(image.Id)?.bytes ?? 0),
    SharedSize: (shared.get(image.Id) ?? 0) + (held.get(image.Id)?.shared ?? 0),
    Containers: usersOf(image.Id).length,
  }));
}

/** All about one image. */
export function inspectImage({ rows, configOf }: Source, row: ImageRow): ImageInspect {
  const image = configOf(row.id);
  return {
    Id: row.id,
    RepoTags: rows.namesOf(row.id).map(tagText),
    RepoDigests: rows.digestsOf(row.id).map(digestText),
    Parent: rows.image(row.parentId ?? '')?.id ?? '',
    Comment: image.comment,
    Created: image.created,
    Container: image.container,
    ContainerConfig: image.containerConfig,
    DockerVersion: image.dockerVersion,
    Author: image.author,
    Config: image.config,
    Architecture: image.architecture,
    ...(image.variant === undefined ? {} : { Variant: image.variant }),
    Os: image.os,
    Size: row.sizeBytes,
    GraphDriver: { Name: 'overlay', Data: null },
    RootFS: { Type: 'layers', Layers: image.diffIds },
    Metadata: { LastTagTime: rows.lastTagged(row.id) ?? NEVER },
  };
}

import { operations } from '../../engine/api/operations.ts';
import { familiarReference, parseReference } from '../../engine/api/reference.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import { shortId } from '../names.ts';
import { pullWithProgress } from '../pull.ts';
import { described, integer, optional, record, text, truth } from '../schema.ts';
import { facts } from '../table.ts';
import { tool } from '../tool.ts';

const { fromImage, platform } = operations.imagePull.query;

export const imagePull = tool({
  name: 'image_pull',
  description: 'Pull an image from its registry.',
  hints: { readOnly: false, destructive: false, idempotent: true, openWorld: true },
  fields: { image: fromImage, platform },
  required: ['image'],
  output: record({
    image: text,
    id: text,
    digest: optional(text),
    upToDate: described(truth, 'it was here already'),
    size: described(integer, 'bytes'),
  }),
  async run({ image, platform }, call) {
    const reference = familiarReference(parseReference(image));
    const { digest, upToDate } = await pullWithProgress({ image: reference, platform }, call);
    const { Id, Size } = await call.engine.call('imageInspect', { name: reference }, { signal: call.signal });
    const data = { image: reference, id: shortId(Id), digest, upToDate, size: Size };
    const said = upToDate ? 'up to date' : 'pulled';
    return {
      text: facts([
        [said, reference],
        ['id', data.id],
        ['digest', digest],
        ['size', formatSize(Size)],
      ]),
      data,
    };
  },
});

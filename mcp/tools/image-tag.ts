import { string } from '../../engine/api/fields.ts';
import { operations } from '../../engine/api/operations.ts';
import { familiarReference, parseReference } from '../../engine/api/reference.ts';
import { splitTag } from '../../engine/api/split-tag.ts';
import { record, text } from '../schema.ts';
import { facts } from '../table.ts';
import { tool } from '../tool.ts';

export const imageTag = tool({
  name: 'image_tag',
  description: 'Give an image another name.',
  hints: { readOnly: false, destructive: false, idempotent: true, openWorld: false },
  toolset: 'publish',
  fields: {
    image: operations.imagePull.query.fromImage,
    name: string('The new name: REGISTRY/REPOSITORY:TAG'),
  },
  required: ['image', 'name'],
  output: record({ image: text, name: text }),
  async run({ image, name }, { engine, signal }) {
    const shown = familiarReference(parseReference(name));
    await engine.act('imageTag', { name: image, ...splitTag(shown) }, { signal });
    return { text: facts([['tagged', shown]]), data: { image, name: shown } };
  },
});

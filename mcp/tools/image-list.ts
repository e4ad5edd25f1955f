import { string } from '../../engine/api/fields.ts';
import { operations } from '../../engine/api/operations.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import type { ImageSummary } from '../../engine/api/wire.ts';
import { shortId } from '../names.ts';
import { page, pageShape } from '../page.ts';
import { described, integer, listOf, record, text } from '../schema.ts';
import { reads, tool } from '../tool.ts';

const { filter } = operations.imageList.query;

const row = record({ id: text, tags: listOf(text), size: described(integer, 'bytes'), created: text });
/** An image may carry any number of tags. */
const MAX_TAGS = 20;

export const imageList = tool({
  name: 'image_list',
  description: 'List images.',
  hints: reads,
  fields: { filter, cursor: string('From the last result, for what follows it') },
  output: record({ images: listOf(row), ...pageShape }),
  async run({ filter, cursor }, { engine, signal }) {
    const found = await engine.call('imageList', { filter }, { signal });
    return page({
      key: 'images',
      columns: ['ID', 'TAGS', 'SIZE', 'CREATED'],
      items: found.map(rowOf),
      cells: ({ id, tags, size, created }) => [id, tags.join(','), formatSize(size), created],
      cursorOf: ({ id }) => id,
      cursor,
      none: 'no images',
    });
  },
});

function rowOf(image: ImageSummary) {
  return {
    id: shortId(image.Id),
    tags: (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>').slice(0, MAX_TAGS),
    size: image.Size,
    created: new Date(image.Created * 1000).toISOString().replace('.000Z', 'Z'),
  };
}

import { string } from '../../engine/api/fields.ts';
import { operations } from '../../engine/api/operations.ts';
import { page, pageShape } from '../page.ts';
import { listOf, record, text } from '../schema.ts';
import { reads, tool } from '../tool.ts';

const { filter } = operations.volumeList.query;

const row = record({ name: text, driver: text, created: text });

export const volumeList = tool({
  name: 'volume_list',
  description: 'List volumes.',
  hints: reads,
  toolset: 'volume',
  fields: { filter, cursor: string('From the last result, for what follows it') },
  output: record({ volumes: listOf(row), ...pageShape }),
  async run({ filter, cursor }, { engine, signal }) {
    const { Volumes } = await engine.call('volumeList', { filter }, { signal });
    return page({
      key: 'volumes',
      columns: ['NAME', 'DRIVER', 'CREATED'],
      items: (Volumes ?? []).map(({ Name, Driver, CreatedAt }) => ({
        name: Name,
        driver: Driver,
        created: (CreatedAt ?? '').replace(/\.\d+/, ''),
      })),
      cells: ({ name, driver, created }) => [name, driver, created],
      cursorOf: ({ name }) => name,
      cursor,
      none: 'no volumes',
    });
  },
});

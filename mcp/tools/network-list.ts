import { string } from '../../engine/api/fields.ts';
import { operations } from '../../engine/api/operations.ts';
import type { NetworkInspect } from '../../engine/api/wire/networks.ts';
import { shortId } from '../names.ts';
import { page, pageShape } from '../page.ts';
import { listOf, record, text, truth } from '../schema.ts';
import { reads, tool } from '../tool.ts';

const { filter } = operations.networkList.query;

const row = record({ id: text, name: text, driver: text, subnets: listOf(text), internal: truth });

export const networkList = tool({
  name: 'network_list',
  description: 'List networks.',
  hints: reads,
  toolset: 'network',
  fields: { filter, cursor: string('From the last result, for what follows it') },
  output: record({ networks: listOf(row), ...pageShape }),
  async run({ filter, cursor }, { engine, signal }) {
    const found = await engine.call('networkList', { filter }, { signal });
    return page({
      key: 'networks',
      columns: ['ID', 'NAME', 'DRIVER', 'SUBNETS', 'INTERNAL'],
      items: found.map(rowOf),
      cells: ({ id, name, driver, subnets, internal }) => [
        id,
        name,
        driver,
        subnets.join(','),
        internal ? 'yes' : '',
      ],
      cursorOf: ({ id }) => id,
      cursor,
      none: 'no networks',
    });
  },
});

function rowOf({ Id, Name, Driver, IPAM, Internal }: NetworkInspect) {
  return {
    id: shortId(Id),
    name: Name,
    driver: Driver,
    subnets: (IPAM.Config ?? []).flatMap(({ Subnet }) => (Subnet ? [Subnet] : [])),
    internal: Internal,
  };
}

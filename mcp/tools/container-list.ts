import { string } from '../../engine/api/fields.ts';
import { operations } from '../../engine/api/operations.ts';
import type { ContainerSummary, Port } from '../../engine/api/wire.ts';
import { bareName, shortId } from '../names.ts';
import { page, pageShape } from '../page.ts';
import { listOf, record, text } from '../schema.ts';
import { reads, tool } from '../tool.ts';

const { all, limit, filter } = operations.containerList.query;

const row = record({ id: text, name: text, image: text, state: text, status: text, ports: text });

export const containerList = tool({
  name: 'container_list',
  description: 'List containers: running ones, or all.',
  hints: reads,
  fields: {
    all,
    limit: { ...limit, min: 1 },
    filter,
    cursor: string('From the last result, for what follows it'),
  },
  output: record({ containers: listOf(row), ...pageShape }),
  async run({ all = false, limit, filter, cursor }, { engine, signal }) {
    const found = await engine.call('containerList', { all, limit, filter }, { signal });
    return page({
      key: 'containers',
      columns: ['ID', 'NAME', 'IMAGE', 'STATUS', 'PORTS'],
      items: found.map(rowOf),
      cells: ({ id, name, image, status, ports }) => [id, name, image, status, ports],
      cursorOf: ({ id }) => id,
      cursor,
      none:
        all || limit !== undefined
          ? 'no containers'
          : 'no running containers (all: true shows stopped ones too)',
    });
  },
});

function rowOf(container: ContainerSummary) {
  return {
    id: shortId(container.Id),
    name: container.Names.map(bareName).join(','),
    image: container.Image,
    state: container.State,
    status: container.Status,
    ports: [...new Set(container.Ports.map(portText))].join(', '),
  };
}

function portText({ IP, PublicPort, PrivatePort, Type }: Port): string {
  return PublicPort === undefined
    ? `${PrivatePort}/${Type}`
    : `${IP ?? ''}:${PublicPort}->${PrivatePort}/${Type}`;
}

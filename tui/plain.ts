import type { Client } from '../engine/client/index.ts';
import { formatRow, layoutColumns } from './lists/columns.ts';
import { containerColumns, containerEntry, listContainer, sortContainers } from './lists/containers.ts';

/** The list of containers as lines of text, for where there is no terminal to draw on. */
export async function plainList(client: Client, signal?: AbortSignal): Promise<string> {
  const nowMs = Date.now();
  const summaries = await client.call('containerList', { all: true }, { signal });
  const rows = sortContainers(summaries.map((summary) => listContainer(summary, nowMs))).map(
    (listed) => containerEntry(listed, nowMs, undefined).cells,
  );
  const titles = containerColumns.map((column) => column.title);
  // Only the command is cut, as `docker ps` does it: names and states are what a script reads.
  const columns = containerColumns.map((column) =>
    column.title === 'COMMAND' ? column : { ...column, max: Number.POSITIVE_INFINITY },
  );
  const widths = layoutColumns(columns, rows, Number.POSITIVE_INFINITY);
  return [titles, ...rows].map((cells) => `${formatRow(cells, widths).trimEnd()}\n`).join('');
}

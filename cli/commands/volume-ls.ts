import { operations } from '../../engine/api/operations.ts';
import { defineCommand, type Flag } from '../command.ts';
import { configuredFormat } from '../configured-format.ts';
import { volumeFields } from '../disk-listings.ts';
import { formatFlag, printListing } from '../listing.ts';
import { refused } from '../refused.ts';

const { filter } = operations.volumeList.query;

export const command = defineCommand({
  usage: '[FLAGS]',
  flags: {
    filter,
    quiet: { type: 'boolean', summary: 'Print names alone', short: 'q' } as Flag<boolean>,
    cluster: refused(
      { type: 'boolean', summary: 'Show volumes of a cluster' },
      'this engine has no cluster volumes',
    ) as Flag<boolean>,
    format: formatFlag,
  },
  takes: [0, 0],
  examples: [{ line: 'berth volume ls --filter dangling=true', does: 'Those that no container has' }],
  async run(context, { flags: { filter: wanted, quiet, format } }) {
    const client = await context.connect();
    const { Volumes } = await client.call(
      'volumeList',
      { filter: wanted },
      { signal: context.signals.cancelled },
    );
    await printListing(context.stdout, {
      rows: (Volumes ?? []).toSorted((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true })),
      goName: '*formatter.volumeContext',
      fields: volumeFields,
      columns: ['Driver', 'Name'],
      only: quiet ? 'Name' : undefined,
      format: format || (quiet ? undefined : configuredFormat('volumesFormat', context.env)),
      raw: quiet ? 'name: {{.Name}}' : 'name: {{.Name}}\ndriver: {{.Driver}}\n',
    });
    return 0;
  },
});

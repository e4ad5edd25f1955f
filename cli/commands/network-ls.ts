import { operations } from '../../engine/api/operations.ts';
import type { NetworkInspect } from '../../engine/api/wire/networks.ts';
import { defineCommand, type Flag } from '../command.ts';
import { configuredFormat } from '../configured-format.ts';
import { goTime } from '../duration.ts';
import { formatFlag, type ListFields, printListing } from '../listing.ts';
import { shortId } from '../printable.ts';

const { filter } = operations.networkList.query;

export const command = defineCommand({
  usage: '[FLAGS]',
  flags: {
    filter,
    quiet: { type: 'boolean', summary: 'Print ids alone', short: 'q' } as Flag<boolean>,
    noTrunc: { type: 'boolean', summary: 'Show ids whole' } as Flag<boolean>,
    format: formatFlag,
  },
  takes: [0, 0],
  examples: [{ line: 'berth network ls --filter type=custom', does: 'Those that were made' }],
  async run(context, { flags: { filter: wanted, quiet, noTrunc = false, format } }) {
    const client = await context.connect();
    const networks = await client.call(
      'networkList',
      { filter: wanted },
      { signal: context.signals.cancelled },
    );
    await printListing(context.stdout, {
      rows: networks.toSorted((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true })),
      goName: '*formatter.networkContext',
      fields: networkFields(noTrunc),
      labels: ({ Labels }) => Labels,
      columns: ['ID', 'Name', 'Driver', 'Scope'],
      only: quiet ? 'ID' : undefined,
      format: format || (quiet ? undefined : configuredFormat('networksFormat', context.env)),
      raw: quiet
        ? 'network_id: {{.ID}}'
        : 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n',
    });
    return 0;
  },
});

/** A network's fields as `docker network ls` names and words them. */
function networkFields(noTrunc: boolean): ListFields<NetworkInspect> {
  return {
    ID: { title: 'NETWORK ID', of: ({ Id }) => (noTrunc ? Id : shortId(Id)) },
    Name: { title: 'NAME', of: ({ Name }) => Name },
    Driver: { title: 'DRIVER', of: ({ Driver }) => Driver },
    Scope: { title: 'SCOPE', of: ({ Scope }) => Scope },
    IPv4: { title: 'IPV4', of: ({ EnableIPv4 = true }) => String(EnableIPv4) },
    IPv6: { title: 'IPV6', of: ({ EnableIPv6 }) => String(EnableIPv6) },
    Internal: { title: 'INTERNAL', of: ({ Internal }) => String(Internal) },
    Labels: {
      title: 'LABELS',
      of: ({ Labels }) =>
        Object.entries(Labels ?? {})
          .map(([name, value]) => `${name}=${value}`)
          .join(','),
    },
    CreatedAt: { title: 'CREATED AT', of: ({ Created }) => goTime(Date.parse(Created) / 1000) },
  };
}

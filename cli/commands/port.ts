import { BerthError } from '../../engine/api/errors.ts';
import { defineCommand } from '../command.ts';

type Published = { readonly HostIp: string; readonly HostPort: string };

export const command = defineCommand({
  usage: 'CONTAINER [PORT[/PROTOCOL]]',
  flags: {},
  takes: [1, 2],
  examples: [
    { line: 'berth port web', does: 'All of them' },
    { line: 'berth port web 80', does: 'Where port 80 of the container is reached' },
  ],
  async run(context, { args: [id = '', port] }) {
    const client = await context.connect();
    const container = await client.call('containerInspect', { id }, { signal: context.signals.cancelled });
    const ports = container.NetworkSettings.Ports ?? {};
    const lines =
      port === undefined
        ? Object.entries(ports).flatMap(([inside, outside]) =>
            (outside ?? []).map((published) => `${inside} -> ${addressOf(published)}`),
          )
        : publishedAs(ports, port, id).map(addressOf);
    const { compare } = new Intl.Collator('en', { numeric: true });
    // A bracket would come before figures: an address of IPv6 stands after the one of IPv4.
    const key = (line: string) => line.replace('[', 'x');
    for (const line of lines.toSorted((a, b) => compare(key(a), key(b)))) context.stdout.line(line);
    return 0;
  },
});

function publishedAs(
  ports: Readonly<Record<string, readonly Published[] | null>>,
  asked: string,
  container: string,
): readonly Published[] {
  const [number = '', protocol = 'tcp'] = asked.split('/');
  if (!/^\d{1,5}$/.test(number) || Number(number) > 65535)
    throw new BerthError('invalid', `invalid port '${asked}'`, { hint: 'write it as in 80 or 53/udp' });
  const found = ports[`${number}/${protocol || 'tcp'}`] ?? [];
  if (found.length === 0)
    throw new BerthError('notFound', `no public port '${asked}' published for ${container}`, {
      hint: `berth port ${container}`,
    });
  return found;
}

const addressOf = ({ HostIp, HostPort }: Published) =>
  `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;

import type { SystemInfo } from '../../engine/api/wire.ts';
import { formatHost } from '../../engine/client/host.ts';
import { type Context, defineCommand } from '../command.ts';
import { formatter, inspectFlags } from '../inspecting.ts';
import { clientVersion } from '../own-version.ts';
import { printable } from '../printable.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  flags: { format: inspectFlags.format },
  takes: [0, 0],
  examples: [{ line: "berth info -f '{{.ServerVersion}}'", does: 'One value' }],
  async run(context, { flags: { format } }) {
    const fill = await formatter(format, context);
    const client = await context.connect();
    const info = await client.call('info', {}, { signal: context.signals.cancelled });
    const all = { ...info, ClientInfo: { Debug: false, ...clientVersion(), Plugins: [], Warnings: null } };
    if (fill !== undefined) context.stdout.line(fill(all, 'system.dockerInfo'));
    else if (format === 'json') context.stdout.line(JSON.stringify(all));
    else describe(context, info, formatHost(client.host));
    return 0;
  },
});

function describe({ stdout, stderr }: Context, info: SystemInfo, host: string): void {
  const rows: readonly (readonly [string, unknown])[] = [
    ['Host', host],
    ['Name', info.Name],
    ['Containers', info.Containers],
    [' Running', info.ContainersRunning],
    [' Paused', info.ContainersPaused],
    [' Stopped', info.ContainersStopped],
    ['Images', info.Images],
    ['Server Version', info.ServerVersion],
    ['Storage Driver', info.Driver],
    ...(info.DriverStatus ?? []).map(([key, value]) => [` ${key}`, value] as const),
    ['Cgroup Driver', info.CgroupDriver],
    ['Cgroup Version', info.CgroupVersion],
    ['Default Runtime', info.DefaultRuntime],
    ['Kernel Version', info.KernelVersion],
    ['Operating System', info.OperatingSystem],
    ['OSType', info.OSType],
    ['Architecture', info.Architecture],
    ['CPUs', info.NCPU],
    ['Total Memory', `${((info.MemTotal ?? 0) / 2 ** 30).toPrecision(4)}GiB`],
    ['Root Dir', info.DockerRootDir],
  ];
  for (const [key, value] of rows)
    if (value !== undefined && value !== '') stdout.line(printable(`${key}: ${value}`));
  for (const warning of info.Warnings ?? [])
    stderr.line(`${stderr.style.yellow('warning:')} ${printable(warning)}`);
}

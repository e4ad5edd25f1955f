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

type Line = readonly [key: string, value: unknown];

/** docker's lines, with the same words and indents: what scripts look for in them is found. */
function describe({ stdout, stderr }: Context, info: SystemInfo, host: string): void {
  const { Version, Context } = clientVersion();
  stdout.line('Client: Berth');
  print(stdout, [
    ['Version:   ', Version],
    ['Context:   ', Context],
    ['Debug Mode:', false],
    ['Host:      ', host],
  ]);
  stdout.line('');
  stdout.line('Server:');
  print(stdout, serverLines(info as SystemInfo & Told));
  stdout.line('');
  for (const warning of info.Warnings ?? []) stderr.line(printable(warning));
}

/** What engines tell beside what every front end looks at. */
type Told = {
  readonly LoggingDriver?: string;
  readonly Plugins?: Readonly<
    Record<'Volume' | 'Network' | 'Authorization' | 'Log', readonly string[] | null>
  >;
  readonly Swarm?: { readonly LocalNodeState?: string };
  readonly Runtimes?: Readonly<Record<string, unknown>>;
  readonly InitBinary?: string;
  readonly ContainerdCommit?: { readonly ID?: string };
  readonly RuncCommit?: { readonly ID?: string };
  readonly InitCommit?: { readonly ID?: string };
  readonly SecurityOptions?: readonly string[];
  readonly Debug?: boolean;
  readonly HttpProxy?: string;
  readonly HttpsProxy?: string;
  readonly NoProxy?: string;
  readonly Labels?: readonly string[] | null;
  readonly ExperimentalBuild?: boolean;
  readonly RegistryConfig?: {
    readonly IndexConfigs?: Readonly<Record<string, { readonly Name?: string; readonly Secure?: boolean }>>;
    readonly InsecureRegistryCIDRs?: readonly string[] | null;
    readonly Mirrors?: readonly string[] | null;
  } | null;
  readonly LiveRestoreEnabled?: boolean;
};

function serverLines(info: SystemInfo & Told): readonly Line[] {
  const { Plugins, RegistryConfig } = info;
  const insecure = [
    ...Object.values(RegistryConfig?.IndexConfigs ?? {}).flatMap(({ Name, Secure }) =>
      Secure === false ? [Name] : [],
    ),
    ...(RegistryConfig?.InsecureRegistryCIDRs ?? []),
  ];
  return [
    ['Containers:', info.Containers],
    [' Running:', info.ContainersRunning],
    [' Paused:', info.ContainersPaused],
    [' Stopped:', info.ContainersStopped],
    ['Images:', info.Images],
    ['Server Version:', info.ServerVersion],
    ['Storage Driver:', info.Driver],
    ...(info.DriverStatus ?? []).map(([key, value]) => [` ${key}:`, value] as const),
    ['Logging Driver:', info.LoggingDriver],
    ['Cgroup Driver:', info.CgroupDriver],
    ['Cgroup Version:', info.CgroupVersion],
    ...titled('Plugins:', [
      [' Volume:', Plugins?.Volume?.join(' ')],
      [' Network:', Plugins?.Network?.join(' ')],
      [' Authorization:', Plugins?.Authorization?.join(' ')],
      [' Log:', Plugins?.Log?.join(' ')],
    ]),
    ['Swarm:', info.Swarm?.LocalNodeState],
    ['Runtimes:', Object.keys(info.Runtimes ?? {}).join(' ')],
    ['Default Runtime:', info.DefaultRuntime],
    ['Init Binary:', info.InitBinary],
    ['containerd version:', info.ContainerdCommit?.ID],
    ['runc version:', info.RuncCommit?.ID],
    ['init version:', info.InitCommit?.ID],
    ...titled('Security Options:', (info.SecurityOptions ?? []).flatMap(securityLines)),
    ['Kernel Version:', info.KernelVersion],
    ['Operating System:', info.OperatingSystem],
    ['OSType:', info.OSType],
    ['Architecture:', info.Architecture],
    ['CPUs:', info.NCPU],
    ['Total Memory:', `${Number(((info.MemTotal ?? 0) / 2 ** 30).toPrecision(4))}GiB`],
    ['Name:', info.Name],
    ['ID:', info.ID],
    ['Docker Root Dir:', info.DockerRootDir],
    ['Debug Mode:', info.Debug ?? false],
    ['HTTP Proxy:', info.HttpProxy],
    ['HTTPS Proxy:', info.HttpsProxy],
    ['No Proxy:', info.NoProxy],
    ...titled('Labels:', items(info.Labels ?? [])),
    ['Experimental:', info.ExperimentalBuild ?? false],
    ...titled('Insecure Registries:', items(insecure)),
    ...titled('Registry Mirrors:', items(RegistryConfig?.Mirrors ?? [])),
    ['Live Restore Enabled:', info.LiveRestoreEnabled ?? false],
  ];
}

/** A line over others; none where there are none. */
function titled(title: string, lines: readonly Line[]): readonly Line[] {
  const told = lines.filter(isTold);
  return told.length === 0 ? [] : [[title, null], ...told];
}

const items = (values: readonly unknown[]) => values.map((value) => [` ${value}`, null] as const);

/** `name=seccomp,profile=default` on two lines. */
function securityLines(option: string): readonly Line[] {
  return option.split(',').flatMap((pair): readonly Line[] => {
    const [key, value] = pair.split('=');
    if (key === 'name') return [[` ${value}`, null]];
    return key === 'profile' ? [['  Profile:', value]] : [];
  });
}

const isTold = ([, value]: Line) => value !== undefined && value !== '';

/** A line each, in docker's indent; without what the engine did not tell. */
function print(stdout: Context['stdout'], lines: readonly Line[]): void {
  for (const [key, value] of lines.filter(isTold))
    stdout.line(printable(` ${key}${value === null ? '' : ` ${value}`}`));
}

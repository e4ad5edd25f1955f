import type { ContainerInspect, ContainerState, ContainerStatus, ContainerSummary } from '../api/wire.ts';
import { type Context, pathsOf } from './context.ts';
import { describeLife } from './duration.ts';
import { describeHealth, healthOf } from './health.ts';
import { hostConfigView } from './host-config/fill.ts';
import { linksView } from './links.ts';
import { mountView } from './mounts/settle.ts';
import { portsInspected, portsListed } from './ports.ts';
import { type ContainerRecord, isActive, type Life, lastEnding } from './record.ts';

/** How Go writes a time that never was. */
const NEVER = '0001-01-01T00:00:00Z';

/** A line of `ps`. */
export function summaryOf(context: Context, record: ContainerRecord, imageName: string): ContainerSummary {
  const { config, hostConfig } = record;
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: imageName,
    ImageID: record.imageId,
    Command: commandLine([...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]),
    Created: Math.floor(Date.parse(record.createdAt) / 1000),
    Ports: portsListed(record, context.networks.portsOf(record.id)),
    Labels: config.Labels ?? {},
    State: statusOf(record.life),
    Status: describeLife(record.life, Date.now()) + describeHealth(context, record),
    HostConfig: { NetworkMode: hostConfig.NetworkMode ?? '' },
    NetworkSettings: { Networks: context.networks.endpointsOf(record.id) },
    Mounts: mountViews(context, record),
  };
}

function mountViews({ volumes }: Context, { mounts }: ContainerRecord) {
  return mounts.map((mount) => mountView(mount, volumes.mountpoint));
}

/** The command as docker's `ps` writes it: arguments that hold a space stand in quotes, the program never does. */
function commandLine([program = '', ...args]: readonly string[]): string {
  return [program, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

/** All about a container, as the Engine API has it (ContainerInspect). */
export function inspectionOf(context: Context, record: ContainerRecord): ContainerInspect {
  const { config } = record;
  const paths = pathsOf(context, record.id);
  const mode = record.hostConfig.NetworkMode ?? '';
  const networks = context.networks.endpointsOf(record.id);
  // What docker had before networks had endpoints is that of the default bridge.
  const endpoint = networks.bridge;
  const health = healthOf(context, record);
  const execIds = context.execs.idsOf(record.id);
  const [path = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: path,
    Args: args,
    State: { ...stateOf(record), ...(health === undefined ? {} : { Health: health }) },
    Image: record.imageId,
    ResolvConfPath: paths.resolvConf,
    HostnamePath: paths.hostname,
    HostsPath: paths.hosts,
    LogPath: paths.log,
    Name: `/${record.name}`,
    RestartCount: record.restarts.count,
    Driver: 'overlay',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execIds.length === 0 ? null : execIds,
    HostConfig: { ...hostConfigView(record.hostConfig), Links: linksView(context.store, record) },
    GraphDriver: {
      Name: 'overlay',
      Data: { MergedDir: paths.rootfs, UpperDir: paths.upper, WorkDir: paths.work },
    },
    Mounts: mountViews(context, record),
    Config: config,
    NetworkSettings: {
      Bridge: '',
      SandboxID: record.life.status === 'running' && mode !== 'host' ? record.id : '',
      SandboxKey: record.life.status === 'running' && mode !== 'host' ? paths.netns : '',
      Ports: portsInspected(record, context.networks.portsOf(record.id)),
      EndpointID: endpoint?.EndpointID ?? '',
      IPAddress: endpoint?.IPAddress ?? '',
      IPPrefixLen: endpoint?.IPPrefixLen ?? 0,
      Gateway: endpoint?.Gateway ?? '',
      MacAddress: endpoint?.MacAddress ?? '',
      GlobalIPv6Address: endpoint?.GlobalIPv6Address ?? '',
      GlobalIPv6PrefixLen: endpoint?.GlobalIPv6PrefixLen ?? 0,
      IPv6Gateway: endpoint?.IPv6Gateway ?? '',
      // Always there, and never anything else.
      HairpinMode: false,
      LinkLocalIPv6Address: '',
      LinkLocalIPv6PrefixLen: 0,
      SecondaryIPAddresses: null,
      SecondaryIPv6Addresses: null,
      Networks: networks,
    },
  };
}

/** The word that docker has for where a container is in its life. */
export function statusOf(life: Life): ContainerStatus {
  return life.status === 'running' && life.paused ? 'paused' : life.status;
}

function stateOf({ life }: ContainerRecord): ContainerState {
  const status = statusOf(life);
  const last = lastEnding(life);
  return {
    Status: status,
    Running: isActive(life),
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: last?.oomKilled ?? false,
    Dead: status === 'dead',
    Pid: life.status === 'running' ? life.process.pid : 0,
    ExitCode: last?.exitCode ?? (life.status === 'created' ? life.exitCode : 0),
    Error: ('error' in life ? life.error : undefined) ?? '',
    StartedAt: life.status === 'running' ? life.startedAt : (last?.startedAt ?? NEVER),
    FinishedAt: last?.finishedAt ?? (life.status === 'running' ? life.finishedAt : undefined) ?? NEVER,
  };
}

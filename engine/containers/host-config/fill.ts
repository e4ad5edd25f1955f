import { BerthError } from '../../api/errors.ts';
import type { HostConfig } from '../../api/wire.ts';
import type { CgroupLayout } from '../../runtime/cgroups.ts';
import { maskedPaths, readonlyPaths } from '../../runtime/spec.ts';

const SHM_BYTES = 64 * 2 ** 20;

/**
 * What the client left open, filled in as dockerd does at a create (its adaptContainerSettings): this is what is kept.
 * Throws `invalid` for a runtime that this engine hasn't.
 */
export function fillHostConfig(
  host: HostConfig,
  options: { readonly cgroups: CgroupLayout; readonly runtime: string },
): HostConfig {
  const { Memory = 0, MemorySwap = 0, PidsLimit } = host;
  const runtime = host.Runtime || options.runtime;
  if (runtime !== options.runtime) {
    throw new BerthError('invalid', `Unknown runtime specified ${runtime}`, {
      hint: `this engine runs ${options.runtime}`,
    });
  }
  const privateCgroups = options.cgroups === 'v2' && host.Privileged !== true;
  return {
    ...host,
    MemorySwap: Memory > 0 && MemorySwap === 0 ? Memory * 2 : MemorySwap,
    PidsLimit: typeof PidsLimit === 'number' && PidsLimit > 0 ? PidsLimit : null,
    OomKillDisable: host.OomKillDisable ?? false,
    ShmSize: host.ShmSize || SHM_BYTES,
    IpcMode: host.IpcMode || 'private',
    CgroupnsMode: host.CgroupnsMode || (privateCgroups ? 'private' : 'host'),
    Runtime: runtime,
    SecurityOpt: withLabel(host),
  };
}

/** dockerd notes that nothing is labelled where the host's processes are near; clients see it. */
function withLabel(host: HostConfig): HostConfig['SecurityOpt'] {
  const options = host.SecurityOpt ?? [];
  const near = host.Privileged === true || host.IpcMode === 'host' || host.PidMode === 'host';
  if (!near || options.some((option) => option.startsWith('label'))) return host.SecurityOpt ?? null;
  return [...options, 'label=disable'];
}

/** What dockerd writes where the client said nothing. */
const defaults: HostConfig = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: { Type: 'json-file', Config: {} },
  NetworkMode: 'bridge',
  PortBindings: {},
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: 'host',
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: SHM_BYTES,
  Runtime: '',
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteIOps: [],
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: [],
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: false,
  PidsLimit: null,
  Ulimits: [],
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
  MaskedPaths: maskedPaths,
  ReadonlyPaths: readonlyPaths,
};

/** A HostConfig as inspect shows it: every field that dockerd writes. */
export function hostConfigView(host: HostConfig): HostConfig {
  const given = Object.entries(host).filter(([name, value]) => value != null || defaults[name] === undefined);
  const policy = host.RestartPolicy;
  const log = host.LogConfig;
  return {
    ...defaults,
    ...(host.Privileged === true ? { MaskedPaths: null, ReadonlyPaths: null } : {}),
    ...Object.fromEntries(given),
    RestartPolicy: { Name: policy?.Name || 'no', MaximumRetryCount: policy?.MaximumRetryCount ?? 0 },
    LogConfig: { Type: log?.Type || 'json-file', Config: log?.Config ?? {} },
  };
}

import { boolean, type Field, integer, list, size, string, type ValuesOf } from '../fields.ts';
import type { DeviceMapping, HostConfig, Ulimit } from '../wire/host-config.ts';
import { readMap, saidOnly, wrongValue } from './pairs.ts';

/** What it shares with the host and other containers, and what of the kernel it may use. */
export const hostFields = {
  annotation: list('Tell the OCI runtime something', { placeholder: 'NAME=VALUE' }),
  capAdd: list('Add a capability', { placeholder: 'CAPABILITY' }),
  capDrop: list('Drop a capability, or ALL', { placeholder: 'CAPABILITY' }),
  cgroupns: string('Whose cgroups it sees', { values: ['', 'host', 'private'], placeholder: 'host|private' }),
  device: list('Give it a device of the host, or a directory of devices', {
    placeholder: 'HOST[:CONTAINER[:rwm]]',
  }),
  deviceCgroupRule: list("Allow devices by number, as in 'c 10:200 rwm'", { placeholder: 'RULE' }),
  groupAdd: list('Group it is in beside its own', { placeholder: 'GROUP' }),
  init: boolean('Start it with an init, which passes signals on and reaps processes'),
  ipc: string('IPC namespace: private, shareable, none, host, container:NAME', { placeholder: 'MODE' }),
  isolation: string('Kind of isolation; Linux has one: default', { placeholder: 'KIND' }),
  logDriver: string('Where its output is kept: json-file, local, k8s-file, none', { placeholder: 'DRIVER' }),
  logOpt: list('Option of the log: max-size=10m, max-file=3', { placeholder: 'NAME=VALUE' }),
  oomKillDisable: boolean('Let it wait rather than be killed when memory runs out'),
  oomScoreAdj: integer('How likely it is to be killed when memory runs out, -1000 to 1000', {
    placeholder: 'N',
  }),
  pid: string('PID namespace: host, container:NAME', { placeholder: 'MODE' }),
  privileged: boolean('Give it all capabilities and devices that the engine has'),
  readOnly: boolean('Make its root file system read-only'),
  runtime: string('OCI runtime to run it with', { placeholder: 'NAME' }),
  securityOpt: list('Security option: no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined', {
    placeholder: 'OPTION',
  }),
  shmSize: size('Size of /dev/shm', { placeholder: 'SIZE' }),
  storageOpt: list('Option of the storage', { placeholder: 'NAME=VALUE' }),
  sysctl: list('Set a kernel parameter of its namespaces', { placeholder: 'NAME=VALUE' }),
  ulimit: list('Limit of a resource, as in nofile=1024:2048', { placeholder: 'NAME=SOFT[:HARD]' }),
  userns: string('User namespace: host', { placeholder: 'MODE' }),
  uts: string('UTS namespace: host', { placeholder: 'MODE' }),
} as const satisfies Record<string, Field>;

/** All this as the Engine API has it; what was not said is left out. Throws `invalid`. */
export function hostBody(options: ValuesOf<typeof hostFields>): Partial<HostConfig> {
  const security = options.securityOpt?.filter((option) => !SYSTEM_PATHS.test(option));
  const open = options.securityOpt?.some((option) => SYSTEM_PATHS.test(option)) === true;
  return saidOnly({
    Annotations: readMap('annotation', options.annotation),
    CapAdd: options.capAdd ?? null,
    CapDrop: options.capDrop ?? null,
    CgroupnsMode: options.cgroupns,
    Devices: options.device?.map(readDevice),
    DeviceCgroupRules: options.deviceCgroupRule,
    GroupAdd: options.groupAdd,
    Init: options.init,
    IpcMode: options.ipc,
    Isolation: options.isolation,
    LogConfig:
      options.logDriver === undefined && options.logOpt === undefined
        ? undefined
        : { Type: options.logDriver ?? '', Config: readMap('log-opt', options.logOpt) ?? {} },
    OomKillDisable: options.oomKillDisable,
    OomScoreAdj: options.oomScoreAdj,
    PidMode: options.pid,
    Privileged: options.privileged ?? false,
    ReadonlyRootfs: options.readOnly ?? false,
    Runtime: options.runtime,
    SecurityOpt: security?.length ? security : null,
    // The engine knows no such option: it is how the command line says two empty lists.
    ...(open ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    ShmSize: options.shmSize,
    StorageOpt: readMap('storage-opt', options.storageOpt),
    Sysctls: readMap('sysctl', options.sysctl),
    Ulimits: options.ulimit?.map(readUlimit),
    UsernsMode: options.userns,
    UTSMode: options.uts,
  }) as Partial<HostConfig>;
}

const SYSTEM_PATHS = /^systempaths[=:]unconfined$/;
const ACCESS = /^[rwm]{1,3}$/;

/** Reads `/dev/x`, `/dev/x:rw`, `/dev/x:/dev/y`, `/dev/x:/dev/y:rw`. */
function readDevice(text: string): DeviceMapping {
  const parts = text.split(':');
  const [source = '', second = '', third] = parts;
  const named = second !== '' && !(parts.length === 2 && ACCESS.test(second));
  const access = third ?? (named || second === '' ? 'rwm' : second);
  if (
    !source.startsWith('/') ||
    parts.length > 3 ||
    !ACCESS.test(access) ||
    (named && !second.startsWith('/'))
  )
    throw wrongValue('device', text, '/dev/HOST[:/dev/CONTAINER[:rwm]]');
  return { PathOnHost: source, PathInContainer: named ? second : source, CgroupPermissions: access };
}

function readUlimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-1|\d+)(?::(-1|\d+))?$/.exec(text);
  if (match === null) throw wrongValue('ulimit', text, 'NAME=SOFT[:HARD], as in nofile=1024:2048');
  const [, Name = '', soft = '', hard = soft] = match;
  return { Name, Soft: Number(soft), Hard: Number(hard) };
}

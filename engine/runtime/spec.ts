import type { ContainerConfig, HostConfig } from '../api/wire.ts';
import { chooseCapabilities } from './capabilities.ts';
import { type CgroupLayout, countsSwap } from './cgroups.ts';
import { hostDevices } from './devices.ts';
import { defaultSeccomp } from './seccomp.ts';
import type { ContainerUser } from './users.ts';

/** What a spec is made of. Paths are the host's. */
export type SpecInput = {
  readonly rootfs: string;
  readonly hostname: string;
  readonly args: readonly string[];
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly user: ContainerUser;
  /** Path of the network namespace to join; undefined for the host's own. */
  readonly netns: string | undefined;
  readonly cgroups: CgroupLayout;
  readonly cgroupsPath: string;
  /** Files and directories of the host that are seen inside. */
  readonly binds: readonly Bind[];
};

export type Bind = { readonly source: string; readonly destination: string; readonly readOnly: boolean };

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Docker's lists (docs.docker.com, «Runtime privilege»): what of /proc and /sys tells about or changes the host. */
export const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
export const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const CPU_PERIOD_US = 100_000;
const SHM_BYTES = 64 * 2 ** 20;

/** The OCI runtime specification (v1.0.2) of a container. Throws `invalid` on capabilities or options that make no sense. */
export function buildSpec(input: SpecInput): object {
  const { config, hostConfig, user } = input;
  const privileged = hostConfig.Privileged === true;
  const capabilities = chooseCapabilities({ add: hostConfig.CapAdd, drop: hostConfig.CapDrop, privileged });
  // A process of another user than root starts with none of them in force, as execve(2) would have it.
  const inForce = user.uid === 0 ? capabilities : [];
  const security = new Set((hostConfig.SecurityOpt ?? []).map((option) => option.replace(':', '=')));
  const unconfined = privileged || security.has('seccomp=unconfined');
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: config.Tty === true,
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: input.args,
      env: environment(input),
      cwd: config.WorkingDir || '/',
      capabilities: {
        bounding: capabilities,
        effective: inForce,
        permitted: inForce,
        inheritable: [],
        ambient: [],
      },
      noNewPrivileges: security.has('no-new-privileges') || security.has('no-new-privileges=true'),
    },
    root: { path: input.rootfs, readonly: hostConfig.ReadonlyRootfs === true },
    hostname: input.hostname,
    mounts: [...systemMounts(privileged), ...input.binds.map(bindMount)],
    linux: {
      cgroupsPath: input.cgroupsPath,
      namespaces: [
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'mount' },
        // As Docker has it: of its own on v2, where it hides the host's paths; the host's on v1.
        ...(input.cgroups === 'v2' ? [{ type: 'cgroup' }] : []),
        ...(input.netns === undefined ? [] : [{ type: 'network', path: input.netns }]),
      ],
      resources: resources(hostConfig, input.cgroups),
      devices: privileged ? hostDevices() : [],
      maskedPaths: privileged ? [] : (hostConfig.MaskedPaths ?? maskedPaths),
      readonlyPaths: privileged ? [] : (hostConfig.ReadonlyPaths ?? readonlyPaths),
      ...(unconfined ? {} : { seccomp: defaultSeccomp(capabilities) }),
    },
  };
}

/** Later entries win, as in Docker: PATH, HOSTNAME, TERM, HOME are there unless the image or the user set them. */
function environment(input: SpecInput): readonly string[] {
  const values = new Map([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', input.hostname],
    ...(input.config.Tty === true ? ([['TERM', 'xterm']] as const) : []),
    ['HOME', input.user.home],
  ]);
  for (const entry of input.config.Env ?? []) {
    const equals = entry.indexOf('=');
    // A name alone takes the variable away.
    if (equals < 0) values.delete(entry);
    else values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return [...values].map(([name, value]) => `${name}=${value}`);
}

function systemMounts(privileged: boolean): readonly object[] {
  const access = privileged ? 'rw' : 'ro';
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${SHM_BYTES}`],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', access],
    },
  ];
}

function bindMount(bind: Bind): object {
  return {
    destination: bind.destination,
    type: 'bind',
    source: bind.source,
    options: ['rbind', 'rprivate', bind.readOnly ? 'ro' : 'rw'],
  };
}

function resources(hostConfig: HostConfig, cgroups: CgroupLayout): object {
  const { Memory = 0, MemorySwap = 0, NanoCpus = 0, CpuShares = 0, PidsLimit } = hostConfig;
  // What is said of swap counts memory too; nothing said means as much again.
  const swap = MemorySwap === 0 ? Memory * 2 : MemorySwap;
  const quota = NanoCpus > 0 ? Math.round((NanoCpus / 1e9) * CPU_PERIOD_US) : (hostConfig.CpuQuota ?? 0);
  const period = NanoCpus > 0 ? CPU_PERIOD_US : (hostConfig.CpuPeriod ?? 0);
  return {
    devices: [{ allow: hostConfig.Privileged === true, access: 'rwm' }],
    ...(Memory > 0 ? { memory: { limit: Memory, ...(countsSwap(cgroups) ? { swap } : {}) } } : {}),
    cpu: {
      ...(CpuShares > 0 ? { shares: CpuShares } : {}),
      ...(quota > 0 ? { quota } : {}),
      ...(period > 0 ? { period } : {}),
    },
    ...(typeof PidsLimit === 'number' && PidsLimit > 0 ? { pids: { limit: PidsLimit } } : {}),
  };
}

import { readFileSync } from 'node:fs';
import type { ContainerConfig, HostConfig } from '../api/wire.ts';
import { chooseCapabilities } from './capabilities.ts';
import type { CgroupLayout } from './cgroups.ts';
import { allowDevice, hostDevices, mappedDevices, parseDeviceRule } from './devices.ts';
import { mountsOf, rootPropagation, type SharedMemory, type SpecMount } from './mounts.ts';
import { type Namespaces, namespacesOf } from './namespaces.ts';
import { resourcesOf } from './resources.ts';
import { rlimits } from './rlimits.ts';
import { seccompFor } from './seccomp.ts';
import { readSecurityOptions } from './security.ts';
import type { ContainerUser } from './users.ts';

/** What a spec is made of. Paths are the host's. */
export type SpecInput = {
  readonly rootfs: string;
  readonly hostname: string;
  readonly args: readonly string[];
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly user: ContainerUser;
  readonly namespaces: Namespaces;
  readonly sharedMemory: SharedMemory;
  readonly cgroups: CgroupLayout;
  readonly cgroupsPath: string;
  /** Environment that linked containers give; the container's own goes over it. */
  readonly linked: readonly string[];
  readonly mounts: readonly SpecMount[];
};

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

/** The OCI runtime specification (v1.0.2) of a container. Throws `invalid` on capabilities or options that make no sense. */
export function buildSpec(input: SpecInput): object {
  const { config, hostConfig, user, namespaces } = input;
  const privileged = hostConfig.Privileged === true;
  const capabilities = chooseCapabilities({ add: hostConfig.CapAdd, drop: hostConfig.CapDrop, privileged });
  // A process of another user than root starts with none of them in force, as execve(2) would have it.
  const inForce = user.uid === 0 ? capabilities : [];
  const security = readSecurityOptions(hostConfig.SecurityOpt);
  const unconfined = privileged && security.seccomp === undefined;
  const limits = rlimits(hostConfig.Ulimits);
  const devices = devicesOf(hostConfig);
  const propagation = rootPropagation(input.mounts);
  const annotations = hostConfig.Annotations ?? {};
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
      noNewPrivileges: security.noNewPrivileges,
      ...(limits.length === 0 ? {} : { rlimits: limits }),
      ...oomScore(hostConfig.OomScoreAdj ?? 0),
      ...(security.apparmor === undefined ? {} : { apparmorProfile: security.apparmor }),
    },
    root: { path: input.rootfs, readonly: hostConfig.ReadonlyRootfs === true },
    // Setting a name takes a namespace of its own.
    ...(namespaces.uts === 'own' ? { hostname: input.hostname } : {}),
    mounts: mountsOf({
      privileged,
      readOnlyRoot: hostConfig.ReadonlyRootfs === true,
      sharedMemory: input.sharedMemory,
      mounts: input.mounts,
    }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    linux: {
      cgroupsPath: input.cgroupsPath,
      namespaces: namespacesOf(namespaces),
      resources: resourcesOf(hostConfig, input.cgroups, devices.rules),
      devices: devices.nodes,
      sysctl: sysctls(input),
      ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
      maskedPaths: privileged ? [] : (hostConfig.MaskedPaths ?? maskedPaths),
      readonlyPaths: privileged ? [] : (hostConfig.ReadonlyPaths ?? readonlyPaths),
      ...(unconfined || security.seccomp === 'unconfined'
        ? {}
        : { seccomp: seccompFor(capabilities, security.seccomp) }),
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
  for (const entry of [...input.linked, ...(input.config.Env ?? [])]) {
    const equals = entry.indexOf('=');
    // A name alone takes the variable away.
    if (equals < 0) values.delete(entry);
    else values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return [...values].map(([name, value]) => `${name}=${value}`);
}

/** The device nodes of a container, and what its cgroup allows. A privileged one has all of both. */
function devicesOf(hostConfig: HostConfig) {
  const privileged = hostConfig.Privileged === true;
  const asked = (hostConfig.Devices ?? []).map((mapping) => ({
    access: mapping.CgroupPermissions || 'rwm',
    found: mappedDevices(mapping),
  }));
  const nodes = new Map(
    [...(privileged ? hostDevices() : []), ...asked.flatMap(({ found }) => found)].map((device) => [
      device.path,
      device,
    ]),
  );
  return {
    nodes: [...nodes.values()],
    rules: [
      { allow: privileged, access: 'rwm' },
      ...(privileged
        ? []
        : asked.flatMap(({ found, access }) => found.map((device) => allowDevice(device, access)))),
      ...(hostConfig.DeviceCgroupRules ?? []).map(parseDeviceRule),
    ],
  };
}

/** docker's settings for a network of one's own, that all may open low ports and ping, and those that were asked for. */
function sysctls({ hostConfig, config, namespaces }: SpecInput): Readonly<Record<string, string>> {
  return {
    ...(namespaces.network === 'host'
      ? {}
      : { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' }),
    ...(namespaces.uts === 'own' && config.Domainname ? { 'kernel.domainname': config.Domainname } : {}),
    ...hostConfig.Sysctls,
  };
}

/** Said only where it is another than the engine's own: to lower it takes a privilege (proc_pid_oom_score_adj(5)). */
function oomScore(wanted: number): object {
  const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
  return wanted === own ? {} : { oomScoreAdj: wanted };
}

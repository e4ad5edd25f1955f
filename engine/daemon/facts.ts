import { readdirSync, readFileSync } from 'node:fs';
import { arch, cpus, hostname, release, totalmem } from 'node:os';
import { API_VERSION, MIN_API_VERSION } from '../api/versions.ts';
import type { SystemInfo, VersionInfo } from '../api/wire.ts';
import type { LayerKind } from '../layers/types.ts';
import { addressPools } from '../networks/pool.ts';
import { readCgroupFeatures } from '../runtime/cgroup-features.ts';
import type { CgroupLayout } from '../runtime/cgroups.ts';

/** What `version` and `info` say of the machine and of the parts; read once. */
export type Facts = {
  readonly version: string;
  readonly components: readonly { readonly name: string; readonly version: string }[];
};

/** Go's names of processors, which the Engine API uses. */
export const goArchitecture = (name: string = arch()) => ({ x64: 'amd64', ia32: '386' })[name] ?? name;
/** uname's names of processors, which `info` uses. */
const machineName = (name: string = arch()) => ({ x64: 'x86_64', arm64: 'aarch64' })[name] ?? name;

export function versionOf(facts: Facts): VersionInfo {
  return {
    Platform: { Name: 'Berth' },
    Components: [
      {
        Name: 'Engine',
        Version: facts.version,
        Details: {
          ApiVersion: API_VERSION,
          MinAPIVersion: MIN_API_VERSION,
          Os: 'linux',
          Arch: goArchitecture(),
          KernelVersion: release(),
          Experimental: 'false',
        },
      },
      ...facts.components.map(({ name, version }) => ({ Name: name, Version: version })),
    ],
    Version: facts.version,
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: '',
    GoVersion: '',
    Os: 'linux',
    Arch: goArchitecture(),
    KernelVersion: release(),
  };
}

export function infoOf(
  facts: Facts,
  state: {
    readonly id: string;
    readonly root: string;
    readonly containers: { readonly running: number; readonly paused: number; readonly stopped: number };
    readonly images: number;
    readonly layerKind: LayerKind;
    readonly cgroups: CgroupLayout;
    /** How many follow the events. */
    readonly listeners: number;
    readonly runtime: string;
    readonly settings: {
      readonly mirrors: readonly string[];
      readonly insecureRegistries: readonly string[];
    };
  },
): SystemInfo {
  const { containers } = state;
  const { features, warnings } = readCgroupFeatures(state.cgroups);
  const forwarding = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() === '1';
  const version = (name: string) => facts.components.find((each) => each.name === name)?.version ?? '';
  return {
    ID: state.id,
    Containers: containers.running + containers.paused + containers.stopped,
    ContainersRunning: containers.running,
    ContainersPaused: containers.paused,
    ContainersStopped: containers.stopped,
    Images: state.images,
    Driver: 'overlay',
    DriverStatus: [['Layers', layerWords[state.layerKind]]],
    Plugins: {
      Volume: [],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: ['json-file', 'local', 'none'],
    },
    ...features,
    IPv4Forwarding: forwarding,
    Debug: false,
    NFd: readdirSync('/proc/self/fd').length,
    // Go's lightweight threads: there are none here.
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    // What containers get that name none; its files are conmon's own (CRI format).
    LoggingDriver: 'json-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: state.cgroups === 'v2' ? '2' : '1',
    NEventsListener: state.listeners,
    KernelVersion: release(),
    OperatingSystem: osRelease('PRETTY_NAME') ?? 'Linux',
    OSVersion: osRelease('VERSION_ID') ?? '',
    OSType: 'linux',
    Architecture: machineName(),
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: {
      InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128'],
      IndexConfigs: {
        'docker.io': { Name: 'docker.io', Mirrors: state.settings.mirrors, Secure: true, Official: true },
        ...Object.fromEntries(
          state.settings.insecureRegistries.map((name) => [
            name,
            { Name: name, Mirrors: [], Secure: false, Official: false },
          ]),
        ),
      },
      Mirrors: state.settings.mirrors,
    },
    NCPU: cpus().length,
    MemTotal: totalmem(),
    DockerRootDir: state.root,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: facts.version,
    Runtimes: { [state.runtime]: { path: state.runtime } },
    DefaultRuntime: state.runtime,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    InitBinary: 'tini-static',
    ContainerdCommit: { ID: '', Expected: '' },
    RuncCommit: { ID: version(state.runtime), Expected: version(state.runtime) },
    InitCommit: { ID: '', Expected: '' },
    Isolation: '',
    GenericResources: null,
    CDISpecDirs: [],
    DefaultAddressPools: addressPools,
    SecurityOptions: ['name=seccomp,profile=builtin', ...(state.cgroups === 'v2' ? ['name=cgroupns'] : [])],
    Warnings: [...warnings, ...(forwarding ? [] : ['WARNING: IPv4 forwarding is disabled'])],
  };
}

const layerWords: Readonly<Record<LayerKind, string>> = {
  erofs: 'archives with an EROFS index, mounted from files',
  'erofs-loop': 'archives with an EROFS index, mounted through loop devices',
  directories: 'directories',
};

/** A value of os-release(5); undefined where the machine doesn't tell it. */
function osRelease(name: string): string | undefined {
  try {
    const text = readFileSync('/etc/os-release', 'utf8');
    return new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1];
  } catch {
    return undefined;
  }
}

import { readFileSync } from 'node:fs';
import { arch, cpus, hostname, release, totalmem } from 'node:os';
import { API_VERSION, MIN_API_VERSION } from '../api/versions.ts';
import type { SystemInfo, VersionInfo } from '../api/wire.ts';

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
    readonly cgroups: string;
    readonly runtime: string;
    readonly settings: {
      readonly mirrors: readonly string[];
      readonly insecureRegistries: readonly string[];
    };
  },
): SystemInfo {
  const { containers } = state;
  return {
    ID: state.id,
    Containers: containers.running + containers.paused + containers.stopped,
    ContainersRunning: containers.running,
    ContainersPaused: containers.paused,
    ContainersStopped: containers.stopped,
    Images: state.images,
    Driver: 'overlay',
    DriverStatus: [['Layers', 'directories']],
    Plugins: { Volume: [], Network: ['bridge', 'host', 'null'], Authorization: null, Log: ['k8s-file'] },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: false,
    PidsLimit: true,
    IPv4Forwarding: readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() === '1',
    OomKillDisable: false,
    LoggingDriver: 'k8s-file',
    CgroupDriver: 'cgroupfs',
    CgroupVersion: state.cgroups === 'v2' ? '2' : '1',
    NEventsListener: 0,
    KernelVersion: release(),
    OperatingSystem: osName(),
    OSVersion: '',
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
    InitBinary: '',
    SecurityOptions: ['name=seccomp,profile=builtin'],
    Warnings: null,
  };
}

function osName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}

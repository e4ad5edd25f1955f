/**
 * The shapes that cross the wire, as the Docker Engine API v1.47 names them.
 * Only what Berth sends or reads is here; a peer may send more, and older peers less.
 */

import type { Health } from './wire/health.ts';
import type { HealthConfig, HostConfig } from './wire/host-config.ts';

export type { HostConfig };

export type Labels = Readonly<Record<string, string>>;

export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead';

export type Port = {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
};

export type MountPoint = {
  readonly Type: string;
  readonly Name?: string;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
};

export type EndpointSettings = {
  readonly IPAMConfig?: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[] | null;
  } | null;
  readonly Links?: readonly string[] | null;
  readonly Aliases?: readonly string[] | null;
  readonly NetworkID: string;
  readonly EndpointID: string;
  readonly Gateway: string;
  readonly IPAddress: string;
  readonly IPPrefixLen: number;
  readonly IPv6Gateway: string;
  readonly GlobalIPv6Address: string;
  readonly GlobalIPv6PrefixLen: number;
  readonly MacAddress: string;
  readonly DriverOpts?: Labels | null;
  readonly DNSNames?: readonly string[] | null;
};

export type ContainerSummary = {
  readonly Id: string;
  /** Each with a leading slash. */
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  /** Seconds since 1970. */
  readonly Created: number;
  readonly Ports: readonly Port[];
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Labels;
  readonly State: ContainerStatus;
  /** For people: `Up 3 minutes`. */
  readonly Status: string;
  readonly HostConfig: { readonly NetworkMode: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointSettings>> };
  readonly Mounts: readonly MountPoint[];
};

export type ContainerState = {
  readonly Status: ContainerStatus;
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly Restarting: boolean;
  readonly OOMKilled: boolean;
  readonly Dead: boolean;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  /** RFC 3339 with nanoseconds; `0001-01-01T00:00:00Z` for never. */
  readonly StartedAt: string;
  readonly FinishedAt: string;
  /** Of one with a health check that was started. */
  readonly Health?: Health;
};

export type ContainerConfig = {
  readonly Hostname?: string;
  readonly Domainname?: string;
  readonly User?: string;
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Tty?: boolean;
  readonly NetworkDisabled?: boolean;
  readonly OpenStdin?: boolean;
  readonly StdinOnce?: boolean;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Image?: string;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly Entrypoint?: readonly string[] | null;
  readonly OnBuild?: readonly string[] | null;
  readonly Labels?: Labels | null;
  readonly StopSignal?: string;
  readonly StopTimeout?: number;
  readonly MacAddress?: string;
  readonly Healthcheck?: HealthConfig | null;
  readonly Shell?: readonly string[] | null;
};

export type CreateContainerBody = ContainerConfig & {
  readonly HostConfig?: HostConfig | null;
  readonly NetworkingConfig?: {
    readonly EndpointsConfig?: Readonly<Record<string, Partial<EndpointSettings> | null>>;
  } | null;
};

export type ContainerInspect = {
  readonly Id: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: ContainerState;
  readonly Image: string;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
  readonly LogPath: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly Driver: string;
  readonly Platform: string;
  readonly MountLabel: string;
  readonly ProcessLabel: string;
  readonly AppArmorProfile: string;
  readonly ExecIDs: readonly string[] | null;
  readonly HostConfig: HostConfig;
  readonly GraphDriver: { readonly Name: string; readonly Data: Labels | null };
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Mounts: readonly MountPoint[];
  readonly Config: ContainerConfig;
  readonly NetworkSettings: {
    readonly Ports: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
    >;
    readonly IPAddress: string;
    readonly IPPrefixLen: number;
    readonly Gateway: string;
    readonly MacAddress: string;
    readonly Networks: Readonly<Record<string, EndpointSettings>>;
    readonly [field: string]: unknown;
  };
};

export type ImageSummary = {
  readonly Id: string;
  readonly ParentId: string;
  /** `<none>:<none>` or null for an image without a name. */
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Labels: Labels | null;
  readonly Containers: number;
};

export type ImageInspect = {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created: string;
  /** dockerd has both until version 1.44. docker-compose 1 speaks the newest, and recreates nothing without the second. */
  readonly Container: string;
  readonly ContainerConfig: ContainerConfig;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: ContainerConfig;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly Size: number;
  readonly GraphDriver: { readonly Name: string; readonly Data: Labels | null };
  readonly RootFS: { readonly Type: string; readonly Layers: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
};

export type ImageDeleted = { readonly Untagged: string } | { readonly Deleted: string };

/** One JSON line of a pull. `error` ends the stream. */
export type ProgressLine = {
  readonly id?: string;
  readonly status?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** Text for people, its line ends with it. */
  readonly stream?: string;
  /** What a push has made. */
  readonly aux?: { readonly Tag: string; readonly Digest: string; readonly Size: number };
  readonly error?: string;
  readonly errorDetail?: { readonly message: string; readonly code?: number };
  /** Berth's: the error's code and way out, beside Docker's `error`. */
  readonly code?: string;
  readonly hint?: string;
};

export type EventMessage = {
  readonly Type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Labels };
  readonly scope: string;
  /** Seconds, and the same moment in nanoseconds. */
  readonly time: number;
  readonly timeNano: number;
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
};

export type VersionInfo = {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
  readonly BuildTime?: string;
  readonly Platform?: { readonly Name: string };
  readonly Components?: readonly {
    readonly Name: string;
    readonly Version: string;
    readonly Details?: Labels;
  }[];
};

export type SystemInfo = {
  readonly ID: string;
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersPaused: number;
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly Driver: string;
  readonly DriverStatus: readonly (readonly string[])[] | null;
  readonly ServerVersion: string;
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Name: string;
  readonly DockerRootDir: string;
  readonly CgroupDriver: string;
  readonly CgroupVersion: string;
  readonly DefaultRuntime: string;
  readonly Warnings: readonly string[] | null;
  readonly [field: string]: unknown;
};

export type WaitResult = {
  readonly StatusCode: number;
  readonly Error?: { readonly Message: string } | null;
};

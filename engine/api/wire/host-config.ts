/** What a container may have and use of its host, as the Docker Engine API v1.47 names it. */

export type RestartPolicy = {
  /** `no`, `always`, `unless-stopped` or `on-failure`; empty means `no`. */
  readonly Name?: string;
  readonly MaximumRetryCount?: number;
};

export type LogConfig = {
  readonly Type?: string;
  readonly Config?: Readonly<Record<string, string>> | null;
};

export type Ulimit = { readonly Name: string; readonly Soft: number; readonly Hard: number };

export type DeviceMapping = {
  readonly PathOnHost: string;
  readonly PathInContainer?: string;
  /** Some of `r`, `w`, `m`. */
  readonly CgroupPermissions?: string;
};

export type WeightDevice = { readonly Path: string; readonly Weight: number };
/** Bytes or operations a second. */
export type ThrottleDevice = { readonly Path: string; readonly Rate: number };

export type Mount = {
  readonly Type: string;
  readonly Source?: string;
  readonly Target?: string;
  readonly ReadOnly?: boolean;
  readonly Consistency?: string;
  readonly BindOptions?: {
    readonly Propagation?: string;
    readonly NonRecursive?: boolean;
    readonly CreateMountpoint?: boolean;
    readonly ReadOnlyNonRecursive?: boolean;
    readonly ReadOnlyForceRecursive?: boolean;
  } | null;
  readonly VolumeOptions?: {
    readonly NoCopy?: boolean;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Subpath?: string;
    readonly DriverConfig?: {
      readonly Name?: string;
      readonly Options?: Readonly<Record<string, string>> | null;
    } | null;
  } | null;
  readonly TmpfsOptions?: {
    readonly SizeBytes?: number;
    /** Permission bits. */
    readonly Mode?: number;
    /** `["noexec"]`, `["uid", "1000"]`. */
    readonly Options?: readonly (readonly string[])[] | null;
  } | null;
};

/** What limits a container's use of the machine: the part that an update can change, and more. */
export type Resources = {
  readonly CpuShares?: number;
  /** Bytes, as all sizes here. */
  readonly Memory?: number;
  readonly NanoCpus?: number;
  readonly CgroupParent?: string;
  readonly BlkioWeight?: number;
  readonly BlkioWeightDevice?: readonly WeightDevice[] | null;
  readonly BlkioDeviceReadBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteBps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceReadIOps?: readonly ThrottleDevice[] | null;
  readonly BlkioDeviceWriteIOps?: readonly ThrottleDevice[] | null;
  /** Microseconds. */
  readonly CpuPeriod?: number;
  readonly CpuQuota?: number;
  readonly CpuRealtimePeriod?: number;
  readonly CpuRealtimeRuntime?: number;
  readonly CpusetCpus?: string;
  readonly CpusetMems?: string;
  readonly Devices?: readonly DeviceMapping[] | null;
  readonly DeviceCgroupRules?: readonly string[] | null;
  readonly MemoryReservation?: number;
  /** Memory and swap together; -1 for no limit of swap. */
  readonly MemorySwap?: number;
  readonly MemorySwappiness?: number | null;
  readonly OomKillDisable?: boolean | null;
  readonly PidsLimit?: number | null;
  readonly Ulimits?: readonly Ulimit[] | null;
};

export type HostConfig = Resources & {
  readonly Binds?: readonly string[] | null;
  readonly Mounts?: readonly Mount[] | null;
  readonly Tmpfs?: Readonly<Record<string, string>> | null;
  readonly VolumesFrom?: readonly string[] | null;
  readonly NetworkMode?: string;
  readonly IpcMode?: string;
  readonly PidMode?: string;
  readonly UTSMode?: string;
  readonly UsernsMode?: string;
  readonly CgroupnsMode?: string;
  readonly AutoRemove?: boolean;
  readonly RestartPolicy?: RestartPolicy | null;
  readonly LogConfig?: LogConfig | null;
  readonly CapAdd?: readonly string[] | null;
  readonly CapDrop?: readonly string[] | null;
  readonly Privileged?: boolean;
  readonly ReadonlyRootfs?: boolean;
  readonly SecurityOpt?: readonly string[] | null;
  readonly MaskedPaths?: readonly string[] | null;
  readonly ReadonlyPaths?: readonly string[] | null;
  readonly Sysctls?: Readonly<Record<string, string>> | null;
  readonly ShmSize?: number;
  readonly OomScoreAdj?: number;
  readonly Init?: boolean | null;
  readonly GroupAdd?: readonly string[] | null;
  /** By the container's port, `80/tcp`: where on the host it is published. An empty port is one that is free. */
  readonly PortBindings?: Readonly<
    Record<string, readonly { readonly HostIp?: string | null; readonly HostPort?: string | null }[] | null>
  > | null;
  /** Publishes each port that is exposed at one that is free. */
  readonly PublishAllPorts?: boolean;
  readonly Links?: readonly string[] | null;
  readonly Dns?: readonly string[] | null;
  readonly DnsOptions?: readonly string[] | null;
  readonly DnsSearch?: readonly string[] | null;
  readonly ExtraHosts?: readonly string[] | null;
  readonly Annotations?: Readonly<Record<string, string>> | null;
  readonly Runtime?: string;
  readonly ConsoleSize?: readonly number[] | null;
  readonly [field: string]: unknown;
};

/** How a container's health is looked at. Times are nanoseconds; 0 means the image's, or docker's own. */
export type HealthConfig = {
  /** `["NONE"]`, `["CMD", …]`, `["CMD-SHELL", "…"]`; empty inherits the image's. */
  readonly Test?: readonly string[] | null;
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
};
/** The body of `POST /containers/{id}/update`. */
export type UpdateContainerBody = Resources & {
  readonly RestartPolicy?: RestartPolicy | null;
  readonly [field: string]: unknown;
};

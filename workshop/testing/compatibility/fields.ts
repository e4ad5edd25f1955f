/** Groups of fields that several answers and bodies of the Engine API v1.47 share. `endpoint.ts` says how they are written. */

export const healthcheck = 'Test Interval Timeout Retries StartPeriod StartInterval';

export const containerConfig = `
  Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd
  Healthcheck{${healthcheck}} ArgsEscaped Image Volumes WorkingDir Entrypoint NetworkDisabled MacAddress OnBuild
  Labels StopSignal StopTimeout Shell`;

const rates = ['BlkioDeviceReadBps', 'BlkioDeviceWriteBps', 'BlkioDeviceReadIOps', 'BlkioDeviceWriteIOps'];

/** What can be changed of a container later too. */
export const resources = `
  CpuShares Memory CgroupParent BlkioWeight BlkioWeightDevice[]{Path Weight}
  ${rates.map((name) => `${name}[]{Path Rate}`).join(' ')}
  CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems
  Devices[]{PathOnHost PathInContainer CgroupPermissions} DeviceCgroupRules
  DeviceRequests[]{Driver Count DeviceIDs Capabilities Options}
  KernelMemoryTCP MemoryReservation MemorySwap MemorySwappiness NanoCpus OomKillDisable Init PidsLimit
  Ulimits[]{Name Soft Hard} CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth`;

export const restartPolicy = 'RestartPolicy{Name MaximumRetryCount}';

export const hostConfig = `
  ${resources} Binds ContainerIDFile LogConfig{Type Config} NetworkMode PortBindings{*[]{HostIp HostPort}}
  ${restartPolicy} AutoRemove VolumeDriver VolumesFrom
  Mounts[]{
    Target Source Type ReadOnly Consistency
    BindOptions{Propagation NonRecursive CreateMountpoint ReadOnlyNonRecursive ReadOnlyForceRecursive}
    VolumeOptions{NoCopy Labels DriverConfig{Name Options} Subpath}
    TmpfsOptions{SizeBytes Mode Options}
  }
  ConsoleSize Annotations CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup
  Links OomScoreAdj PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt StorageOpt Tmpfs UTSMode
  UsernsMode ShmSize Sysctls Runtime Isolation MaskedPaths ReadonlyPaths`;

/** What a client says of an endpoint, and what stands in an answer beside it. */
const endpointWish = 'IPAMConfig{IPv4Address IPv6Address LinkLocalIPs} Links MacAddress Aliases DriverOpts';
export const endpointSettings = `
  ${endpointWish} NetworkID EndpointID Gateway IPAddress IPPrefixLen IPv6Gateway GlobalIPv6Address
  GlobalIPv6PrefixLen DNSNames`;
export const networkingConfig = `EndpointsConfig{*{${endpointWish}}}`;

export const mountPoints = 'Mounts[]{Type Name Source Destination Driver Mode RW Propagation}';

export const containerSummary = `
  Id Names Image ImageID Command Created Ports[]{IP PrivatePort PublicPort Type} SizeRw SizeRootFs Labels State
  Status HostConfig{NetworkMode Annotations} NetworkSettings{Networks{*{${endpointSettings}}}} ${mountPoints}`;

export const imageSummary = `
  Id ParentId RepoTags RepoDigests Created Size SharedSize Labels Containers
  Manifests[]{ID Descriptor Available Size Kind ImageData AttestationData}`;

/**
 * What docker's command line (28.2) reads the engine's answers into: the fields of its structs in their order, in
 * the notation of shapes.ts. From the Engine API's Go types, github.com/docker/docker/api/types v28.2.2.
 */
export const dockerTypes: Readonly<Record<string, string>> = {
  'struct{}': '',

  'container.InspectResponse': `+*container.ContainerJSONBase Mounts:[]container.MountPoint Config:*container.Config
    NetworkSettings:*container.NetworkSettings ImageManifestDescriptor?:*v1.Descriptor`,
  'container.ContainerJSONBase': `ID=Id Created Path Args:[]string State:*container.State Image ResolvConfPath
    HostnamePath HostsPath LogPath Name RestartCount:int Driver Platform MountLabel ProcessLabel AppArmorProfile
    ExecIDs:[]string HostConfig:*container.HostConfig GraphDriver:storage.DriverData SizeRw?:*int64
    SizeRootFs?:*int64`,
  'container.State': `Status Running:bool Paused:bool Restarting:bool OOMKilled:bool Dead:bool Pid:int ExitCode:int
    Error StartedAt FinishedAt Health?:*container.Health`,
  'container.Health': 'Status FailingStreak:int Log:[]*container.HealthcheckResult',
  'container.HealthcheckResult': 'Start:time End:time ExitCode:int Output',
  'container.MountPoint': 'Type? Name? Source Destination Driver? Mode RW:bool Propagation',
  'container.Config': `Hostname Domainname User AttachStdin:bool AttachStdout:bool AttachStderr:bool
    ExposedPorts?:map[port]struct{} Tty:bool OpenStdin:bool StdinOnce:bool Env:[]string Cmd:[]string
    Healthcheck?:*v1.HealthcheckConfig ArgsEscaped?:bool Image Volumes:map[string]struct{} WorkingDir
    Entrypoint:[]string NetworkDisabled?:bool MacAddress? OnBuild:[]string Labels:map[string]string StopSignal?
    StopTimeout?:*int Shell?:[]string`,
  'container.HostConfig': `Binds:[]string ContainerIDFile LogConfig:container.LogConfig NetworkMode
    PortBindings:map[port][]nat.PortBinding RestartPolicy:container.RestartPolicy AutoRemove:bool VolumeDriver
    VolumesFrom:[]string ConsoleSize:[2]uint Annotations?:map[string]string CapAdd:[]string CapDrop:[]string
    CgroupnsMode DNS=Dns:[]string DNSOptions=DnsOptions:[]string DNSSearch=DnsSearch:[]string ExtraHosts:[]string
    GroupAdd:[]string IpcMode Cgroup Links:[]string OomScoreAdj:int PidMode Privileged:bool PublishAllPorts:bool
    ReadonlyRootfs:bool SecurityOpt:[]string StorageOpt?:map[string]string Tmpfs?:map[string]string UTSMode
    UsernsMode ShmSize:int64 Sysctls?:map[string]string Runtime? Isolation +container.Resources Mounts?:[]mount.Mount
    MaskedPaths:[]string ReadonlyPaths:[]string Init?:*bool`,
  'container.Resources': `CPUShares=CpuShares:int64 Memory:int64 NanoCPUs=NanoCpus:int64 CgroupParent BlkioWeight:uint
    BlkioWeightDevice:[]*blkiodev.WeightDevice BlkioDeviceReadBps:[]*blkiodev.ThrottleDevice
    BlkioDeviceWriteBps:[]*blkiodev.ThrottleDevice BlkioDeviceReadIOps:[]*blkiodev.ThrottleDevice
    BlkioDeviceWriteIOps:[]*blkiodev.ThrottleDevice CPUPeriod=CpuPeriod:int64 CPUQuota=CpuQuota:int64
    CPURealtimePeriod=CpuRealtimePeriod:int64 CPURealtimeRuntime=CpuRealtimeRuntime:int64 CpusetCpus CpusetMems
    Devices:[]container.DeviceMapping DeviceCgroupRules:[]string DeviceRequests:[]container.DeviceRequest
    KernelMemory?:int64 KernelMemoryTCP?:int64 MemoryReservation:int64 MemorySwap:int64 MemorySwappiness:*int64
    OomKillDisable:*bool PidsLimit:*int64 Ulimits:[]*units.Ulimit CPUCount=CpuCount:int64 CPUPercent=CpuPercent:int64
    IOMaximumIOps:uint IOMaximumBandwidth:uint`,
  'container.LogConfig': 'Type Config:map[string]string',
  'container.RestartPolicy': 'Name MaximumRetryCount:int',
  'container.DeviceMapping': 'PathOnHost PathInContainer CgroupPermissions',
  'container.DeviceRequest':
    'Driver Count:int DeviceIDs:[]string Capabilities:[][]string Options:map[string]string',
  'blkiodev.WeightDevice': 'Path Weight:uint',
  'blkiodev.ThrottleDevice': 'Path Rate:uint',
  'units.Ulimit': 'Name Hard:int64 Soft:int64',
  'nat.PortBinding': 'HostIP=HostIp HostPort',
  'storage.DriverData': 'Data:map[string]string Name',
  'mount.Mount': `Type? Source? Target? ReadOnly?:bool Consistency? BindOptions?:*mount.BindOptions
    VolumeOptions?:*mount.VolumeOptions ImageOptions?:*mount.ImageOptions TmpfsOptions?:*mount.TmpfsOptions
    ClusterOptions?:*struct{}`,
  'mount.BindOptions': `Propagation? NonRecursive?:bool CreateMountpoint?:bool ReadOnlyNonRecursive?:bool
    ReadOnlyForceRecursive?:bool`,
  'mount.VolumeOptions': 'NoCopy?:bool Labels?:map[string]string Subpath? DriverConfig?:*mount.Driver',
  'mount.Driver': 'Name? Options?:map[string]string',
  'mount.ImageOptions': 'Subpath?',
  'mount.TmpfsOptions': 'SizeBytes?:int64 Mode?:uint Options?:[][]string',

  'container.NetworkSettings': `+container.NetworkSettingsBase +container.DefaultNetworkSettings
    Networks:map[string]*network.EndpointSettings`,
  'container.NetworkSettingsBase': `Bridge SandboxID SandboxKey Ports:map[port][]nat.PortBinding HairpinMode:bool
    LinkLocalIPv6Address LinkLocalIPv6PrefixLen:int SecondaryIPAddresses:[]network.Address
    SecondaryIPv6Addresses:[]network.Address`,
  'container.DefaultNetworkSettings': `EndpointID Gateway GlobalIPv6Address GlobalIPv6PrefixLen:int IPAddress
    IPPrefixLen:int IPv6Gateway MacAddress`,
  'network.Address': 'Addr PrefixLen:int',
  'network.EndpointSettings': `IPAMConfig:*network.EndpointIPAMConfig Links:[]string Aliases:[]string MacAddress
    DriverOpts:map[string]string GwPriority:int NetworkID EndpointID Gateway IPAddress IPPrefixLen:int IPv6Gateway
    GlobalIPv6Address GlobalIPv6PrefixLen:int DNSNames:[]string`,
  'network.EndpointIPAMConfig': 'IPv4Address? IPv6Address? LinkLocalIPs?:[]string',
  'network.Inspect': `Name ID=Id Created:time Scope Driver EnableIPv4:bool EnableIPv6:bool IPAM:network.IPAM
    Internal:bool Attachable:bool Ingress:bool ConfigFrom:network.ConfigReference ConfigOnly:bool
    Containers:map[string]network.EndpointResource Options:map[string]string Labels:map[string]string
    Peers?:[]network.PeerInfo Services?:map[string]any`,
  'network.IPAM': 'Driver Options:map[string]string Config:[]network.IPAMConfig',
  'network.IPAMConfig': 'Subnet? IPRange? Gateway? AuxAddress=AuxiliaryAddresses?:map[string]string',
  'network.ConfigReference': 'Network',
  'network.EndpointResource': 'Name EndpointID MacAddress IPv4Address IPv6Address',
  'network.PeerInfo': 'Name IP',
  'volume.Volume': `ClusterVolume?:any CreatedAt? Driver Labels:map[string]string Mountpoint Name
    Options:map[string]string Scope Status?:map[string]any UsageData?:*volume.UsageData`,
  'volume.UsageData': 'RefCount:int64 Size:int64',

  'image.InspectResponse': `ID=Id RepoTags:[]string RepoDigests:[]string Parent Comment Created? Container?
    ContainerConfig?:*container.Config DockerVersion Author Config:*v1.DockerOCIImageConfig Architecture Variant? Os
    OsVersion? Size:int64 VirtualSize?:int64 GraphDriver:storage.DriverData RootFS:image.RootFS
    Metadata:image.Metadata Descriptor?:*v1.Descriptor Manifests?:[]any`,
  'image.RootFS': 'Type? Layers?:[]string',
  'image.Metadata': 'LastTagTime?:time',
  'v1.DockerOCIImageConfig': '+v1.ImageConfig +v1.DockerOCIImageConfigExt',
  'v1.ImageConfig': `User? ExposedPorts?:map[string]struct{} Env?:[]string Entrypoint?:[]string Cmd?:[]string
    Volumes?:map[string]struct{} WorkingDir? Labels?:map[string]string StopSignal? ArgsEscaped?:bool`,
  'v1.DockerOCIImageConfigExt': 'Healthcheck?:*v1.HealthcheckConfig OnBuild?:[]string Shell?:[]string',
  'v1.HealthcheckConfig': `Test?:[]string Interval?:duration Timeout?:duration StartPeriod?:duration
    StartInterval?:duration Retries?:int`,
  'v1.Descriptor': `MediaType=mediaType Digest=digest Size=size:int64 URLs=urls?:[]string
    Annotations=annotations?:map[string]string Data=data? Platform=platform?:*v1.Platform ArtifactType=artifactType?`,
  'v1.Platform': `Architecture=architecture OS=os OSVersion=os.version? OSFeatures=os.features?:[]string
    Variant=variant?`,

  'events.Message': `Status=status? ID=id? From=from? Type Action Actor:events.Actor Scope=scope? Time=time?:int64
    TimeNano=timeNano?:int64`,
  'events.Actor': 'ID Attributes:map[string]string',

  'system.versionInfo': 'Client:system.clientVersion Server:*types.Version',
  'system.clientVersion': `Platform?:*system.platformInfo Version? APIVersion=ApiVersion? DefaultAPIVersion? GitCommit?
    GoVersion? NodeVersion? Os? Arch? BuildTime? Context`,
  'system.platformInfo': 'Name?',
  'types.Version': `Platform?:system.platform Components?:[]types.ComponentVersion Version APIVersion=ApiVersion
    MinAPIVersion? GitCommit GoVersion Os Arch KernelVersion? Experimental?:bool BuildTime?`,
  'system.platform': 'Name',
  'types.ComponentVersion': 'Name Version Details?:map[string]string',

  'system.dockerInfo': `+*system.Info ServerErrors?:[]string ClientInfo?:*system.clientInfo ClientErrors?:[]string`,
  'system.clientInfo': 'Debug:bool +system.clientVersion Plugins:[]any Warnings:[]string',
  'system.Info': `ID Containers:int ContainersRunning:int ContainersPaused:int ContainersStopped:int Images:int Driver
    DriverStatus:[][2]string SystemStatus?:[][2]string Plugins:system.PluginsInfo MemoryLimit:bool SwapLimit:bool
    KernelMemory?:bool KernelMemoryTCP?:bool CPUCfsPeriod=CpuCfsPeriod:bool CPUCfsQuota=CpuCfsQuota:bool CPUShares:bool
    CPUSet:bool PidsLimit:bool IPv4Forwarding:bool Debug:bool NFd:int OomKillDisable:bool NGoroutines:int SystemTime
    LoggingDriver CgroupDriver CgroupVersion? NEventsListener:int KernelVersion OperatingSystem OSVersion OSType
    Architecture IndexServerAddress RegistryConfig:*registry.ServiceConfig NCPU:int MemTotal:int64
    GenericResources:[]any DockerRootDir HTTPProxy=HttpProxy HTTPSProxy=HttpsProxy NoProxy Name Labels:[]string
    ExperimentalBuild:bool ServerVersion Runtimes:map[string]system.RuntimeWithStatus DefaultRuntime Swarm:swarm.Info
    LiveRestoreEnabled:bool Isolation InitBinary ContainerdCommit:system.Commit RuncCommit:system.Commit
    InitCommit:system.Commit SecurityOptions:[]string ProductLicense?
    DefaultAddressPools?:[]system.NetworkAddressPool FirewallBackend?:*system.FirewallInfo CDISpecDirs:[]string
    DiscoveredDevices?:[]system.DeviceInfo Containerd?:*system.ContainerdInfo Warnings:[]string`,
  'system.PluginsInfo': 'Volume:[]string Network:[]string Authorization:[]string Log:[]string',
  'system.RuntimeWithStatus': '+system.Runtime Status=status?:map[string]string',
  'system.Runtime': `Path=path? Args=runtimeArgs?:[]string Type=runtimeType? Options=options?:map[string]any`,
  'system.Commit': 'ID Expected?',
  'system.NetworkAddressPool': 'Base Size:int',
  'system.FirewallInfo': 'Driver Info?:[][2]string',
  'system.DeviceInfo': 'Source ID',
  'system.ContainerdInfo': 'Address? Namespaces:system.ContainerdNamespaces',
  'system.ContainerdNamespaces': 'Containers Plugins',
  // docker writes these two out of maps: their keys are in alphabetical order.
  'registry.ServiceConfig': `AllowNondistributableArtifactsCIDRs?:[]string
    AllowNondistributableArtifactsHostnames?:[]string IndexConfigs:map[string]*registry.IndexInfo
    InsecureRegistryCIDRs:[]string Mirrors:[]string`,
  'registry.IndexInfo': 'Mirrors:[]string Name Official:bool Secure:bool',
  'swarm.Info': `NodeID NodeAddr LocalNodeState ControlAvailable:bool Error RemoteManagers:[]swarm.Peer Nodes?:int
    Managers?:int Cluster?:*any Warnings?:[]string`,
  'swarm.Peer': 'NodeID Addr',
};

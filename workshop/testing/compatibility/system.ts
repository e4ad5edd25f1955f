import type { Endpoint } from './endpoint.ts';
import { containerSummary, imageSummary } from './fields.ts';

const commit = (name: string) => `${name}{ID Expected}`;

/** The engine itself. */
export const systemEndpoints: Readonly<Record<string, readonly Endpoint[]>> = {
  System: [
    { route: 'GET /_ping' },
    { route: 'HEAD /_ping' },
    {
      route: 'GET /version',
      answer: `Platform{Name} Components[]{Name Version Details} Version ApiVersion MinAPIVersion GitCommit GoVersion
        Os Arch KernelVersion Experimental BuildTime`,
    },
    {
      route: 'GET /info',
      answer: `ID Containers ContainersRunning ContainersPaused ContainersStopped Images Driver DriverStatus
        DockerRootDir Plugins{Volume Network Authorization Log} MemoryLimit SwapLimit KernelMemoryTCP CpuCfsPeriod
        CpuCfsQuota CPUShares CPUSet PidsLimit OomKillDisable IPv4Forwarding BridgeNfIptables BridgeNfIp6tables
        Debug NFd NGoroutines SystemTime LoggingDriver CgroupDriver CgroupVersion NEventsListener KernelVersion
        OperatingSystem OSVersion OSType Architecture NCPU MemTotal IndexServerAddress
        RegistryConfig{
          AllowNondistributableArtifactsCIDRs AllowNondistributableArtifactsHostnames InsecureRegistryCIDRs
          IndexConfigs{*{Name Mirrors Secure Official}} Mirrors
        }
        GenericResources HttpProxy HttpsProxy NoProxy Name Labels ExperimentalBuild ServerVersion
        Runtimes{*{path runtimeArgs status}} DefaultRuntime
        Swarm{NodeID NodeAddr LocalNodeState ControlAvailable Error RemoteManagers Nodes Managers Cluster}
        LiveRestoreEnabled Isolation InitBinary ${commit('ContainerdCommit')} ${commit('RuncCommit')}
        ${commit('InitCommit')} SecurityOptions ProductLicense DefaultAddressPools[]{Base Size} Warnings CDISpecDirs
        Containerd{Address Namespaces{Containers Plugins}}`,
    },
    {
      route: 'GET /events',
      query: 'since until filters',
      filters: `config container daemon event image label network node plugin scope secret service type volume`,
      answer: 'Type Action Actor{ID Attributes} scope time timeNano',
    },
    {
      route: 'GET /system/df',
      query: 'type',
      answer: `LayersSize Images[]{${imageSummary}} Containers[]{${containerSummary}} Volumes BuildCache`,
    },
    { route: 'POST /auth', body: 'username password email serveraddress', answer: 'Status IdentityToken' },
  ],
};

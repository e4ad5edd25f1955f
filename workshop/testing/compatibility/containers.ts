import type { Endpoint } from './endpoint.ts';
import {
  containerConfig,
  containerSummary,
  endpointSettings,
  hostConfig,
  mountPoints,
  networkingConfig,
  resources,
  restartPolicy,
} from './fields.ts';

const streams = 'detachKeys logs stream stdin stdout stderr';

const cpu = `
  cpu_usage{total_usage percpu_usage? usage_in_kernelmode usage_in_usermode} system_cpu_usage online_cpus
  throttling_data{periods throttled_periods throttled_time}`;

/** Containers, and what is executed in them. */
export const containerEndpoints: Readonly<Record<string, readonly Endpoint[]>> = {
  Containers: [
    {
      route: 'GET /containers/json',
      query: 'all limit size filters',
      filters: `ancestor before expose exited health id isolation is-task label name network publish since status
        volume`,
      answer: containerSummary,
    },
    {
      route: 'POST /containers/create',
      query: 'name platform',
      body: `${containerConfig} HostConfig{${hostConfig}} NetworkingConfig{${networkingConfig}}`,
      answer: 'Id Warnings',
    },
    {
      route: 'GET /containers/{id}/json',
      query: 'size',
      answer: `Id Created Path Args
        State{
          Status Running Paused Restarting OOMKilled Dead Pid ExitCode Error StartedAt FinishedAt
          Health{Status FailingStreak Log[]{Start End ExitCode Output}}
        }
        Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform MountLabel
        ProcessLabel AppArmorProfile ExecIDs HostConfig{${hostConfig}} GraphDriver{Name Data} SizeRw SizeRootFs
        ${mountPoints} Config{${containerConfig}}
        NetworkSettings{
          Bridge SandboxID HairpinMode LinkLocalIPv6Address LinkLocalIPv6PrefixLen Ports{*[]{HostIp HostPort}}
          SandboxKey SecondaryIPAddresses SecondaryIPv6Addresses EndpointID Gateway GlobalIPv6Address
          GlobalIPv6PrefixLen IPAddress IPPrefixLen IPv6Gateway MacAddress Networks{*{${endpointSettings}}}
        }`,
    },
    { route: 'GET /containers/{id}/top', query: 'ps_args', answer: 'Titles Processes' },
    { route: 'GET /containers/{id}/logs', query: 'follow stdout stderr since until timestamps tail' },
    { route: 'GET /containers/{id}/changes', answer: 'Path Kind' },
    { route: 'GET /containers/{id}/export' },
    {
      route: 'GET /containers/{id}/stats',
      query: 'stream one-shot',
      answer: `id name read preread num_procs pids_stats{current limit} cpu_stats{${cpu}} precpu_stats{${cpu}}
        memory_stats{usage max_usage? limit failcnt? stats} networks{*{
          rx_bytes rx_packets rx_errors rx_dropped tx_bytes tx_packets tx_errors tx_dropped
        }}
        blkio_stats{io_service_bytes_recursive[]{major minor op value} io_serviced_recursive?}
        storage_stats`,
    },
    { route: 'POST /containers/{id}/resize', query: 'h w' },
    { route: 'POST /containers/{id}/start', query: 'detachKeys' },
    { route: 'POST /containers/{id}/stop', query: 'signal t' },
    { route: 'POST /containers/{id}/restart', query: 'signal t' },
    { route: 'POST /containers/{id}/kill', query: 'signal' },
    { route: 'POST /containers/{id}/update', body: `${resources} ${restartPolicy}`, answer: 'Warnings' },
    { route: 'POST /containers/{id}/rename', query: 'name' },
    { route: 'POST /containers/{id}/pause' },
    { route: 'POST /containers/{id}/unpause' },
    { route: 'POST /containers/{id}/attach', query: streams },
    { route: 'GET /containers/{id}/attach/ws', query: streams },
    { route: 'POST /containers/{id}/wait', query: 'condition', answer: 'StatusCode Error{Message}' },
    { route: 'DELETE /containers/{id}', query: 'v force link' },
    { route: 'HEAD /containers/{id}/archive', query: 'path' },
    { route: 'GET /containers/{id}/archive', query: 'path' },
    { route: 'PUT /containers/{id}/archive', query: 'path noOverwriteDirNonDir copyUIDGID' },
    {
      route: 'POST /containers/prune',
      query: 'filters',
      filters: 'until label label!',
      answer: 'ContainersDeleted SpaceReclaimed',
    },
  ],
  Exec: [
    {
      route: 'POST /containers/{id}/exec',
      body: `AttachStdin AttachStdout AttachStderr ConsoleSize DetachKeys Tty Env Cmd Privileged User WorkingDir`,
      answer: 'Id',
    },
    { route: 'POST /exec/{id}/start', body: 'Detach Tty ConsoleSize' },
    { route: 'POST /exec/{id}/resize', query: 'h w' },
    {
      route: 'GET /exec/{id}/json',
      answer: `CanRemove DetachKeys ID Running ExitCode
        ProcessConfig{privileged user tty entrypoint arguments} OpenStdin OpenStderr OpenStdout ContainerID Pid`,
    },
  ],
};

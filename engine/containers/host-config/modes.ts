import { BerthError } from '../../api/errors.ts';
import type { CreateContainerBody, HostConfig } from '../../api/wire.ts';

/** The container that a mode names (`container:web`); undefined where it names none. Throws `invalid` for an empty name. */
export function containerOf(mode: string | undefined, field: string): string | undefined {
  if (!mode?.startsWith('container:')) return undefined;
  const name = mode.slice('container:'.length);
  if (name !== '') return name;
  throw new BerthError('invalid', `Invalid ${field}: invalid container format container:<name|id>`);
}

const ipcModes = ['', 'none', 'private', 'shareable', 'host'];
const cgroupnsModes = ['', 'host', 'private'];

/** Checks which of the host's namespaces a container shares, and what can't go together. Throws `invalid`, `unsupported`. */
export function checkModes(config: CreateContainerBody, host: HostConfig): void {
  const mode = (name: 'IpcMode' | 'PidMode' | 'UTSMode' | 'UsernsMode' | 'CgroupnsMode') => host[name] ?? '';
  if (containerOf(host.IpcMode, 'IPC mode') === undefined && !ipcModes.includes(mode('IpcMode')))
    throw wrong('IPC mode', mode('IpcMode'), 'private, shareable, none, host or container:NAME');
  if (containerOf(host.PidMode, 'PID mode') === undefined && !['', 'host'].includes(mode('PidMode')))
    throw wrong('PID mode', mode('PidMode'), 'host or container:NAME');
  if (!['', 'host'].includes(mode('UTSMode'))) throw wrong('UTS mode', mode('UTSMode'), 'host');
  if (!['', 'host'].includes(mode('UsernsMode')))
    throw wrong('user namespace mode', mode('UsernsMode'), 'host');
  if (!cgroupnsModes.includes(mode('CgroupnsMode')))
    throw wrong('cgroup namespace mode', mode('CgroupnsMode'), 'host or private');
  if (mode('UTSMode') === 'host' && config.Hostname) throw conflicting('hostname and the UTS mode');
  checkNetworkMode(config, host);
}

/** dockerd's validateNetMode: a container on another's network has nothing of its own there. */
function checkNetworkMode(config: CreateContainerBody, host: HostConfig): void {
  const links = (host.Links ?? []).length > 0;
  if (host.NetworkMode === 'host' && links)
    throw conflicting(
      "host type networking can't be used with links. This would result in undefined behavior",
    );
  if (containerOf(host.NetworkMode, 'network mode') === undefined) return;
  if (config.Hostname) throw conflicting('hostname and the network mode');
  if (links)
    throw conflicting(
      "container type network can't be used with links. This would result in undefined behavior",
    );
  if ((host.Dns ?? []).length > 0) throw conflicting('dns and the network mode');
  if ((host.ExtraHosts ?? []).length > 0) throw conflicting('custom host-to-IP mapping and the network mode');
  if (config.MacAddress) throw conflicting('mac-address and the network mode');
  if (Object.keys(config.ExposedPorts ?? {}).length > 0)
    throw conflicting('port exposing and the container type network mode');
}

function wrong(what: string, value: string, takes: string): BerthError {
  return new BerthError('invalid', `invalid ${what}: ${value}`, { hint: `use ${takes}` });
}

function conflicting(what: string): BerthError {
  return new BerthError('invalid', `conflicting options: ${what}`);
}

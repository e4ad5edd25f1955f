import { isIP } from 'node:net';
import { BerthError } from '../api/errors.ts';
import type { ContainerConfig, CreateContainerBody, HostConfig, Port } from '../api/wire.ts';
import { plainAddress } from '../networks/addresses.ts';
import type { PortWish, Protocol, PublishedPort } from '../networks/ports/types.ts';
import type { ContainerRecord } from './record.ts';

type Ported = { readonly config: ContainerConfig; readonly hostConfig: HostConfig };

/** Checks what a client wants published. Throws `invalid` in dockerd's words, and for what dockerd would ignore. */
export function checkPorts(config: Pick<CreateContainerBody, 'ExposedPorts'>, host: HostConfig): void {
  const publishes = Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts === true;
  if (publishes && host.NetworkMode?.startsWith('container:')) {
    throw new BerthError(
      'invalid',
      'conflicting options: port publishing and the container type network mode',
      { hint: 'publish the ports of the container that has the network' },
    );
  }
  bindingsOf(host);
  for (const port of Object.keys(config.ExposedPorts ?? {})) expandPort(port);
}

/** What a client is told that publishes ports where there is nothing to publish. */
export function portWarnings(host: HostConfig): readonly string[] {
  return host.NetworkMode === 'host' && bindingsOf(host).length > 0
    ? ['Published ports are discarded when using host network mode']
    : [];
}

/** What a container wants published, when it is started. */
export function portWishes({ config, hostConfig }: Ported): readonly PortWish[] {
  const bound = bindingsOf(hostConfig);
  if (hostConfig.PublishAllPorts !== true) return bound;
  const named = new Set(bound.map(({ protocol, containerPort }) => `${containerPort}/${protocol}`));
  const others = exposedPorts(config).filter((port) => !named.has(port));
  return [...bound, ...others.map((port) => ({ ...splitPort(port), address: '', first: 0, last: 0 }))];
}

/** `NetworkSettings.Ports`: where each port of a running container is published, and null for those that are not. */
export function portsInspected(
  record: Pick<ContainerRecord, 'config' | 'life'>,
  published: readonly PublishedPort[],
): Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>> {
  if (record.life.status !== 'running') return {};
  const found: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
  for (const port of exposedPorts(record.config)) found[port] = null;
  for (const { containerPort, protocol, address, port } of published) {
    const key = `${containerPort}/${protocol}`;
    found[key] = [...(found[key] ?? []), { HostIp: address, HostPort: String(port) }];
  }
  return found;
}

/** The same as a list of containers has it. */
export function portsListed(
  record: Pick<ContainerRecord, 'config' | 'life'>,
  published: readonly PublishedPort[],
): readonly Port[] {
  return Object.entries(portsInspected(record, published)).flatMap(([key, places]) => {
    const { containerPort: PrivatePort, protocol: Type } = splitPort(key);
    if (places === null) return [{ PrivatePort, Type }];
    return places.map(({ HostIp, HostPort }) => ({
      IP: HostIp,
      PrivatePort,
      PublicPort: Number(HostPort),
      Type,
    }));
  });
}

/** The ports that a container says it listens on, each as `80/tcp`. What an image says that is none is left out. */
function exposedPorts({ ExposedPorts }: ContainerConfig): readonly string[] {
  return Object.keys(ExposedPorts ?? {}).flatMap((port) => {
    try {
      return expandPort(port);
    } catch {
      return [];
    }
  });
}

function expandPort(text: string): readonly string[] {
  const [numbers = '', protocol = 'tcp'] = text.toLowerCase().split('/');
  const { first, last } = readRange(numbers, numbers);
  return Array.from({ length: last - first + 1 }, (_none, index) => `${first + index}/${protocol}`);
}

function bindingsOf({ PortBindings }: HostConfig): readonly PortWish[] {
  return Object.entries(PortBindings ?? {}).flatMap(([key, bindings]) => {
    const [number = '', protocol = 'tcp', ...rest] = key.toLowerCase().split('/');
    if (!/^(?:tcp|udp|sctp)$/.test(protocol) || rest.length > 0)
      throw new BerthError('invalid', `invalid protocol of the port '${key}'`, { hint: 'tcp, udp or sctp' });
    if (!/^\d+$/.test(number)) throw wrongPort(number);
    const { first: containerPort } = readRange(number, number);
    return (bindings ?? []).map(({ HostIp, HostPort }) => ({
      protocol: protocol as Protocol,
      containerPort,
      address: hostAddress(HostIp ?? ''),
      ...(HostPort && HostPort !== '0' ? readRange(HostPort, HostPort) : { first: 0, last: 0 }),
    }));
  });
}

/** dockerd takes what it can't read for all addresses: what was meant for one would be open to everybody. */
function hostAddress(text: string): string {
  if (text !== '' && (isIP(text) === 0 || text.includes('%'))) {
    throw new BerthError('invalid', `invalid address to publish at: '${text}'`, {
      hint: 'an IPv4 or IPv6 address of this host',
    });
  }
  return plainAddress(text);
}

function splitPort(text: string): { readonly containerPort: number; readonly protocol: Protocol } {
  const [number, protocol] = text.split('/');
  return { containerPort: Number(number), protocol: protocol as Protocol };
}

const MAX_PORT = 65535;

function readRange(text: string, whole: string): { readonly first: number; readonly last: number } {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!(first >= 1 && last >= first && last <= MAX_PORT)) throw wrongPort(whole);
  return { first, last };
}

function wrongPort(text: string): BerthError {
  return new BerthError('invalid', `invalid port specification: "${text}"`, {
    hint: 'a number from 1 to 65535; a range of the host is written 8000-8010',
  });
}

import { BerthError } from '../engine/api/errors.ts';
import { formatSize } from '../engine/api/sizes.ts';
import type { HostConfig, RestartPolicy } from '../engine/api/wire/host-config.ts';
import type { ContainerInspect, CreateContainerBody, Labels } from '../engine/api/wire.ts';

/** Tools that are served only when they are asked for. `publish`: what leaves this machine. */
export const toolsets = ['publish', 'network', 'volume'] as const;
export type Toolset = (typeof toolsets)[number];

/** What the operator allows; see docs/mcp.md. */
export type Policy = {
  /** Only tools that change nothing are served. */
  readonly readOnly: boolean;
  readonly toolsets: readonly Toolset[];
  /** Containers that were not started through MCP may be removed too. */
  readonly allowRemoveAny: boolean;
  /** Most memory, in bytes, and most processors that a call may ask for. */
  readonly maxMemory: number;
  readonly maxCpus: number;
};

/** The label that every container started through MCP carries. */
export const MCP_LABEL = 'berth.mcp';

/** What a container gets when the call does not say. */
export const defaults = { memory: 512 * 2 ** 20, cpus: 1, pids: 256 } as const;

export const defaultPolicy: Policy = {
  readOnly: false,
  toolsets: [],
  allowRemoveAny: false,
  maxMemory: 2 * 2 ** 30,
  maxCpus: 2,
};

/** A network of the engine's, by name: neither the host's nor another container's (`container:…`, `ns:…`). */
const NETWORK = /^(?!host$)[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Checks the network that a call asks for. Throws `forbidden`. */
export function allowedNetwork(network: string): string {
  if (NETWORK.test(network)) return network;
  throw new BerthError('forbidden', `the network '${network.slice(0, 64)}' is not allowed through MCP`, {
    hint: 'use bridge, none or the name of a network',
  });
}

/** The only address of the host that ports are published at. */
const LOOPBACK = '127.0.0.1';

/** A port that a call wants published (`8080:80`, `80/udp`), at the host's loopback. Throws `forbidden`. */
export function allowedPort(port: string): string {
  const [, said = '', places = ''] = /^(127\.0\.0\.1:)?([\d-]*:?[\d-]+(?:\/\w+)?)$/.exec(port) ?? [];
  if (places === '') {
    throw new BerthError('forbidden', `the port '${port.slice(0, 64)}' is not allowed through MCP`, {
      hint: `ports are published at ${LOOPBACK}, as [HOST:]PORT[/PROTOCOL]`,
    });
  }
  // With an address one colon more, and nothing between the two for a port that is free.
  return `${said || `${LOOPBACK}:`}${places.includes(':') ? '' : ':'}${places}`;
}

/** Memory and processors that a call gets. Throws `forbidden` for more than the operator allows. */
export function allowedLimits(
  policy: Policy,
  asked: { readonly memory?: number | undefined; readonly cpus?: number | undefined },
): { readonly memory: number; readonly cpus: number } {
  const {
    memory = Math.min(defaults.memory, policy.maxMemory),
    cpus = Math.min(defaults.cpus, policy.maxCpus),
  } = asked;
  if (memory > policy.maxMemory) {
    throw new BerthError('forbidden', `${memory} bytes of memory are more than this server allows`, {
      hint: `ask for ${policy.maxMemory} (${formatSize(policy.maxMemory)}) at the most, or restart it with --max-memory`,
    });
  }
  if (cpus > policy.maxCpus) {
    throw new BerthError('forbidden', `${cpus} processors are more than this server allows`, {
      hint: `ask for ${policy.maxCpus} at the most, or restart it with --max-cpus`,
    });
  }
  return { memory, cpus };
}

/** What a container's host config may say at all: limits, names and what takes privileges away. */
const CONFINED_KEYS = new Set<string>([
  'NetworkMode',
  'AutoRemove',
  'Memory',
  'NanoCpus',
  'PidsLimit',
  'CapDrop',
  'SecurityOpt',
  'ReadonlyRootfs',
  'Dns',
  'ExtraHosts',
  'PortBindings',
]);

/**
 * Checks the body that is about to be sent, whatever made it: nothing of the host is handed to the container.
 * The last gate, so that a parameter added later cannot open one by itself. Throws `forbidden`.
 */
export function assertConfined({ HostConfig }: CreateContainerBody): void {
  const host = HostConfig ?? {};
  const refuse = (what: string) => new BerthError('forbidden', `${what}: not allowed through MCP`);
  for (const [key, value] of Object.entries(host)) {
    const passes = key === 'Mounts' ? onlyVolumes(host.Mounts) : CONFINED_KEYS.has(key);
    if (!passes && (isSet(key, value) || opens(key, value))) throw refuse(key);
  }
  if (host.CapDrop?.join() !== 'ALL') throw refuse('capabilities');
  if (host.SecurityOpt?.join() !== 'no-new-privileges') throw refuse('new privileges');
  if (!NETWORK.test(host.NetworkMode ?? 'default')) throw refuse(`the network ${host.NetworkMode}`);
  if (
    Object.values(host.PortBindings ?? {}).some((of) => (of ?? []).some(({ HostIp }) => HostIp !== LOOPBACK))
  )
    throw refuse('ports of other addresses than the loopback');
  for (const limit of ['Memory', 'NanoCpus', 'PidsLimit'] as const) {
    if ((host[limit] ?? 0) <= 0) throw refuse(`no ${limit}`);
  }
}

/** Whether all of them are volumes by name, and say nothing of how one is made: that could be a directory of the host. */
function onlyVolumes(mounts: HostConfig['Mounts']): boolean {
  return (mounts ?? []).every(
    ({ Type, Source, VolumeOptions }) => Type === 'volume' && Source && VolumeOptions === undefined,
  );
}

/** An empty list of what is hidden from a container hides nothing. */
function opens(key: string, value: unknown): boolean {
  return (key === 'MaskedPaths' || key === 'ReadonlyPaths') && value != null;
}

/** Whether a value of a host config asks for anything. A restart policy called `no` says in words that it doesn't. */
function isSet(key: string, value: unknown): boolean {
  if (key === 'RestartPolicy') return !['', 'no'].includes((value as RestartPolicy | null)?.Name ?? '');
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** Checks that something was made through MCP, or that the operator lets what was not be changed. Throws `forbidden`. */
export function assertOurs(
  policy: Policy,
  {
    kind,
    name,
    labels,
  }: { readonly kind: string; readonly name: string; readonly labels: Labels | null | undefined },
): void {
  if (policy.allowRemoveAny || labels?.[MCP_LABEL] === 'true') return;
  throw new BerthError('forbidden', `the ${kind} ${name} was not made through MCP, so it is left alone`, {
    hint: 'the operator can allow it by starting the server with --allow-remove-any',
  });
}

/** Checks that a container may be removed. Throws `forbidden`. */
export function assertRemovable(policy: Policy, container: ContainerInspect): void {
  if (policy.allowRemoveAny || startedThroughMcp(container)) return;
  const name = container.Name.replace(/^\//, '');
  throw new BerthError('forbidden', `${name} was not started through MCP, so it is not removed`, {
    hint: `the operator can allow it by starting the server with --allow-remove-any, or type: berth rm ${name}`,
  });
}

export function startedThroughMcp(container: ContainerInspect): boolean {
  return container.Config.Labels?.[MCP_LABEL] === 'true';
}

import { existsSync } from 'node:fs';
import type { Endpoints } from './endpoints.ts';
import { setGateways } from './namespaces.ts';
import type { Ports } from './ports/ports.ts';
import type { NetworkStore } from './store.ts';
import type { Endpoint, Network, Sandbox } from './types.ts';
import type { Ways } from './ways.ts';

type Parts = {
  readonly store: NetworkStore;
  readonly endpoints: Endpoints;
  readonly ports: Ports;
  readonly ways: Ways;
  readonly prepare: (network: Network) => Promise<Network>;
  readonly introduce: (containerId: string) => void;
  readonly settlePorts: (containerId: string) => Promise<void>;
  readonly warn: (message: string) => void;
};

/**
 * Brings the kernel in line with the rows, at whatever step an engine ended. An attachment is written when its endpoint
 * is whole, and goes before it is touched: an endpoint without one is half made or half taken away, and goes.
 * `running` are the containers that run, `containers` all there are.
 */
export async function recoverNetworks(
  parts: Parts,
  {
    running,
    containers,
  }: { readonly running: ReadonlyMap<string, Sandbox>; readonly containers: ReadonlySet<string> },
): Promise<void> {
  const { store, endpoints, ports, ways, warn } = parts;
  for (const id of store.attachedContainers()) if (!containers.has(id)) store.forget(id);
  // Before the first rules are made: running containers are in them.
  for (const containerId of store.publishers()) {
    const target = running.has(containerId) ? ways.targetOf(containerId) : undefined;
    if (target === undefined) await ports.withdraw(containerId);
    else ports.resume(containerId, target);
  }
  for (const endpoint of store.endpoints()) {
    const network = store.byId(endpoint.networkId);
    if (running.has(endpoint.containerId) && network !== undefined) endpoints.admit(network, endpoint);
  }
  for (const endpoint of store.endpoints()) {
    const sandbox = running.get(endpoint.containerId);
    const network = store.byId(endpoint.networkId);
    if (sandbox === undefined || network === undefined) endpoints.drop(endpoint);
    else await recoverEndpoint(parts, endpoint, { network, path: sandbox.path });
  }
  for (const containerId of running.keys()) {
    try {
      parts.introduce(containerId);
      await parts.settlePorts(containerId);
    } catch (error) {
      warn(`names and ports of the container ${containerId}: ${String(error)}`);
    }
  }
}

async function recoverEndpoint(
  parts: Parts,
  endpoint: Endpoint,
  { network, path }: { readonly network: Network; readonly path: string },
): Promise<void> {
  const { store, endpoints, ways, warn } = parts;
  const { containerId, hostInterface } = endpoint;
  const prepared = await parts.prepare(network);
  const attached = store.attachmentsOf(containerId).some(({ networkId }) => networkId === network.id);
  try {
    if (!attached) withdrawEndpoint(parts, endpoint, path);
    else if (hostInterface !== '' && !existsSync(`/sys/class/net/${hostInterface}`)) {
      // Somebody took it away.
      endpoints.plugIn(prepared, endpoint, path);
      setGateways(path, { from: [], to: ways.gatewaysOf(containerId) });
    }
  } catch (error) {
    warn(`the interface ${endpoint.interface} of ${containerId}: ${String(error)}`);
  }
}

/** Takes an endpoint off a container that goes on; its row goes last, so that whoever finds it goes on with that. */
export function withdrawEndpoint(
  { ways, endpoints }: Pick<Parts, 'ways' | 'endpoints'>,
  endpoint: Endpoint,
  path: string,
): void {
  ways.replug(endpoint.containerId, path, {
    without: endpoint,
    change: () => endpoints.unplug(endpoint, path),
  });
  endpoints.drop(endpoint);
}

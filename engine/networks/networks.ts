import { existsSync } from 'node:fs';
import { BerthError } from '../api/errors.ts';
import type { Database } from '../state/database.ts';
import { formatAddress, formatSubnet, parseSubnet, type Subnet } from './addresses.ts';
import { ensureBridge, removeInterface } from './bridge.ts';
import { defineNetwork, readNetworkBody } from './definition.ts';
import { openDnsServer } from './dns/server.ts';
import { networkOf, openEndpoints } from './endpoints.ts';
import { networkFilter, pruneFilter } from './filter.ts';
import { openFirewall } from './firewall.ts';
import { createNamespace, removeNamespace, setGateways } from './namespaces.ts';
import { chooseSubnet, hostSubnets } from './pool.ts';
import { openPorts } from './ports/ports.ts';
import { recoverNetworks, withdrawEndpoint } from './recover.ts';
import { openSpares } from './spares.ts';
import { openNetworkStore } from './store.ts';
import type { Endpoint, Network, Networks, Sandbox } from './types.ts';
import { endpointView, networkView } from './views.ts';
import { openWays } from './ways.ts';
import { settleWish } from './wishes.ts';

export type NetworkSettings = {
  /** Name of the default bridge's interface, at most 15 bytes, as the kernel has it; and of the engine's tables of rules. */
  readonly bridge: string;
  /** Its IPv4 network, `172.30.0.0/16`; the first free one where it is not given. */
  readonly subnet?: string | undefined;
  /** Tells the operator of what no client waits for. */
  readonly warn?: (message: string) => void;
};

/** Opens the networks of an engine. A bridge is made when it is first needed. */
export function openNetworks(database: Database, settings: NetworkSettings): Networks {
  const { warn = () => undefined } = settings;
  const store = openNetworkStore(database);
  const firewall = openFirewall(settings.bridge, warn);
  const endpoints = openEndpoints(store, firewall);
  const spares = openSpares(warn);
  const sandboxes = new Map<string, Sandbox>();
  const dns = openDnsServer(warn);
  const ways = openWays(store);
  const ports = openPorts(store, firewall, warn);
  const ready = new Map<string, Promise<Network>>();

  /** A network with its bridge in place, made once for each run of the engine; a failure is tried again by the next. */
  function prepare(network: Network): Promise<Network> {
    if (network.driver !== 'bridge') return Promise.resolve(network);
    let prepared = ready.get(network.id);
    if (prepared === undefined) {
      prepared = prepareBridge(network);
      ready.set(network.id, prepared);
      prepared.catch(() => ready.delete(network.id));
    }
    return prepared;
  }

  async function prepareBridge(network: Network): Promise<Network> {
    const settled = network.builtin ? await settleDefault(network) : network;
    if (settled.internal) keepOutInternal();
    ensureBridge(settled, `${settings.bridge} ${network.name}`);
    await firewall.addNetwork(settled);
    return settled;
  }

  const keepOutInternal = () => ports.keepOut(store.all().filter(({ internal }) => internal));

  /** The default bridge gets its subnet when it is first needed, and keeps it. */
  async function settleDefault(network: Network): Promise<Network> {
    const wanted = settings.subnet ?? network.subnets[0]?.Subnet;
    const subnet =
      wanted === undefined
        ? chooseSubnet([...takenSubnets(), ...(await hostSubnets())])
        : parseSubnet(wanted);
    const config = { Subnet: formatSubnet(subnet), Gateway: formatAddress(4, subnet.base + 1n) };
    return store.setSubnet(network, config, settings.bridge);
  }

  const takenSubnets = (): readonly Subnet[] =>
    store.all().flatMap(({ subnets }) => subnets.map(({ Subnet }) => parseSubnet(Subnet ?? '')));

  /** Has what a container publishes lead to it, now that its networks are as they are. */
  async function settlePorts(containerId: string): Promise<void> {
    const wishes = sandboxes.get(containerId)?.ports ?? [];
    const target = ways.targetOf(containerId);
    if (target === undefined) return await ports.withdraw(containerId);
    const { hostAddress = '' } = target;
    ports.publish(
      containerId,
      wishes.map((wish) => ({ ...wish, address: wish.address || hostAddress })),
      target,
    );
  }

  async function stop(
    containerId: string,
    path: string,
    { shared = false }: { readonly shared?: boolean } = {},
  ): Promise<void> {
    const held = store.endpointsOf(containerId);
    if (shared) for (const endpoint of held) endpoints.unplug(endpoint, path);
    sandboxes.delete(containerId);
    dns.close(containerId);
    for (const endpoint of held) dns.leave(endpoint);
    await ports.withdraw(containerId);
    await removeNamespace(path);
    for (const endpoint of held) endpoints.drop(endpoint);
  }

  /** Its networks with names: those of users. */
  const namedNetworks = (containerId: string) =>
    store.endpointsOf(containerId).flatMap((endpoint) => {
      const network = store.byId(endpoint.networkId);
      return network === undefined || network.builtin ? [] : [{ endpoint, network }];
    });
  const usesDns = (containerId: string) => namedNetworks(containerId).length > 0;

  /** Lets the others on its networks find a running container by its names, and it the others. */
  function introduce(containerId: string): void {
    const sandbox = sandboxes.get(containerId);
    const joined = namedNetworks(containerId);
    if (sandbox === undefined || joined.length === 0) return;
    const { identity, path } = sandbox;
    for (const { network, endpoint } of joined) {
      const attachment = store.attachmentsOf(containerId).find(({ networkId }) => networkId === network.id);
      dns.join(network, endpoint, { identity, wish: attachment?.wish ?? {} });
    }
    dns.open(containerId, path, identity.nameServers);
  }

  const isUsed = ({ id }: Network) => store.endpointsOn(id).length > 0;
  const view = (network: Network, among: readonly Endpoint[]) =>
    networkView(
      network,
      among.map((endpoint) => ({
        endpoint,
        name: sandboxes.get(endpoint.containerId)?.identity.name ?? '',
      })),
    );

  async function removeNetwork(network: Network): Promise<void> {
    await ready.get(network.id)?.catch(() => undefined);
    ready.delete(network.id);
    await firewall.removeNetwork(network);
    if (network.bridge !== undefined) removeInterface(network.bridge);
    endpoints.forgetPools(network);
    store.drop(network);
    if (network.internal) keepOutInternal();
  }

  return {
    named: (mode) => store.find(mode === '' || mode === 'default' ? 'bridge' : mode),

    attach(containerId, wishes) {
      const settled = wishes.map(({ network, wish }) => ({ network, wish: settleWish(network, wish) }));
      for (const { network, wish } of settled)
        store.attach(containerId, { networkId: network.id, networkName: network.name, wish });
    },

    forget: (containerId) => store.forget(containerId),

    async start({ containerId, ...sandbox }) {
      const { path } = sandbox;
      const attachments = store.attachmentsOf(containerId);
      const networks = attachments.map((attachment) => networkOf(store, attachment));
      try {
        const prepared = await Promise.all(networks.map(prepare));
        const onHost = prepared.some(({ driver }) => driver === 'host');
        // What a container with a bridge takes longest for may have been made already.
        const bridged = prepared.findIndex(({ driver }) => driver === 'bridge');
        const link = bridged < 0 ? undefined : spares.take(path);
        if (!onHost && link === undefined) createNamespace(path);
        sandboxes.set(containerId, sandbox);
        prepared.forEach((network, index) => {
          const attachment = attachments[index];
          const place = { containerId, path, link: index === bridged ? link : undefined };
          if (attachment !== undefined) endpoints.add(network, attachment, place);
        });
        await settlePorts(containerId);
        introduce(containerId);
        const to = ways.gatewaysOf(containerId);
        if (to.length > 0) setGateways(path, { from: [], to });
        return { namespace: onHost ? undefined : path };
      } catch (error) {
        await stop(containerId, path);
        throw error;
      }
    },

    stop,

    async connect(containerId, network, wish) {
      const sandbox = sandboxes.get(containerId);
      const settled = settleWish(network, wish);
      if (store.attachmentsOf(containerId).some(({ networkId }) => networkId === network.id)) {
        const name = sandbox?.identity.name ?? containerId;
        throw new BerthError(
          'forbidden',
          `endpoint with name ${name} already exists in network ${network.name}`,
          { hint: `berth network disconnect ${network.name} ${name}` },
        );
      }
      const attachment = { networkId: network.id, networkName: network.name, wish: settled };
      if (sandbox === undefined) return store.attach(containerId, attachment);
      const prepared = await prepare(network);
      try {
        ways.replug(containerId, sandbox.path, {
          change: () => endpoints.add(prepared, attachment, { containerId, path: sandbox.path }),
        });
        await settlePorts(containerId);
        // Last: an engine that finds an endpoint without it takes back what there is of it.
        store.attach(containerId, attachment);
        introduce(containerId);
      } catch (error) {
        await this.disconnect(containerId, network);
        throw error;
      }
    },

    async disconnect(containerId, network) {
      const sandbox = sandboxes.get(containerId);
      const endpoint = store.endpointsOf(containerId).find(({ networkId }) => networkId === network.id);
      store.detach(containerId, network.id);
      if (sandbox === undefined || endpoint === undefined) return;
      withdrawEndpoint({ ways, endpoints }, endpoint, sandbox.path);
      await settlePorts(containerId);
      dns.leave(endpoint);
      if (!usesDns(containerId)) dns.close(containerId);
    },

    rename(containerId, name) {
      const sandbox = sandboxes.get(containerId);
      if (sandbox !== undefined)
        sandboxes.set(containerId, { ...sandbox, identity: { ...sandbox.identity, name } });
      introduce(containerId);
    },

    endpointsOf(containerId) {
      const held = store.endpointsOf(containerId);
      return Object.fromEntries(
        store.attachmentsOf(containerId).map((attachment) => [
          attachment.networkName,
          endpointView({
            attachment,
            network: store.byId(attachment.networkId),
            endpoint: held.find(({ networkId }) => networkId === attachment.networkId),
            identity: sandboxes.get(containerId)?.identity,
            containerId,
          }),
        ]),
      );
    },

    joinedBy: (containerId) =>
      store.endpointsOf(containerId).flatMap((endpoint) => {
        const network = store.byId(endpoint.networkId);
        return network === undefined ? [] : [{ network, endpoint }];
      }),

    portsOf: (containerId) => ports.of(containerId),
    attachmentsOf: (containerId) => store.attachmentsOf(containerId),

    async create(body) {
      const read = readNetworkBody(body);
      const routed = await hostSubnets();
      if (store.byName(read.Name) !== undefined) {
        throw new BerthError('conflict', `network with name ${read.Name} already exists`, {
          hint: `berth network rm ${read.Name}`,
        });
      }
      const network = defineNetwork(read, { others: takenSubnets(), routed });
      const taken = store.all().find(({ bridge }) => bridge !== undefined && bridge === network.bridge);
      if (taken !== undefined || (network.bridge && existsSync(`/sys/class/net/${network.bridge}`))) {
        throw new BerthError('conflict', `the interface ${network.bridge} is there already`, {
          hint: 'choose another name for the bridge',
        });
      }
      store.add(network);
      try {
        await prepare(network);
      } catch (error) {
        await removeNetwork(network);
        throw error;
      }
      return { network, warning: '' };
    },

    async remove(name) {
      const network = store.find(name);
      if (network.builtin) {
        throw new BerthError('forbidden', `${network.name} is a pre-defined network and cannot be removed`);
      }
      refuseUsed(network);
      await removeNetwork(network);
      return network;
    },

    async prune(filter) {
      const chosen = store.all().filter(pruneFilter(filter));
      const removed: Network[] = [];
      for (const network of chosen) {
        if (network.builtin || isUsed(network)) continue;
        await removeNetwork(network);
        removed.push(network);
      }
      return removed;
    },

    list: (filter = {}) =>
      store
        .all()
        .filter(networkFilter(filter, isUsed))
        .map((network) => view(network, [])),

    find: (name) => store.find(name),
    byId: (id) => store.byId(id),

    inspect(name) {
      const network = store.find(name);
      return view(network, store.endpointsOn(network.id));
    },

    async recover(running, containers) {
      for (const [containerId, sandbox] of running) sandboxes.set(containerId, sandbox);
      keepOutInternal();
      await recoverNetworks(
        { store, endpoints, ports, ways, prepare, introduce, settlePorts, warn },
        { running, containers },
      );
      await firewall.sweep();
    },

    async leave() {
      spares.end();
      firewall.leave();
      await ports.end();
    },

    async close() {
      spares.end();
      await Promise.all([firewall.close(), dns.end(), ports.end()]);
      for (const { bridge } of store.all()) if (bridge !== undefined) removeInterface(bridge);
      ready.clear();
    },
  };

  function refuseUsed(network: Network): void {
    if (!isUsed(network)) return;
    throw new BerthError(
      'forbidden',
      `error while removing network: network ${network.name} id ${network.id} has active endpoints`,
      { hint: `berth network inspect ${network.name} lists them` },
    );
  }
}

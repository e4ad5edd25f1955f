import { randomBytes } from 'node:crypto';
import { BerthError } from '../api/errors.ts';
import { parseSubnet } from './addresses.ts';
import { linkLocalOf, macOf, removeInterface } from './bridge.ts';
import { type Firewall, type Item, ownAddresses } from './firewall.ts';
import { type AddressPool, openAddressPool } from './ipam.ts';
import { plug, unplug } from './namespaces.ts';
import { optionsOf } from './options.ts';
import { interfaceName } from './spares.ts';
import type { NetworkStore } from './store.ts';
import type { Attachment, Endpoint, Network } from './types.ts';
import { prefixOf, subnetOf } from './views.ts';

export type Endpoints = ReturnType<typeof openEndpoints>;

/** Endpoints of containers: an address and a row, then the kernel's part, and all of it back. */
export function openEndpoints(store: NetworkStore, firewall: Firewall) {
  const pools = new Map<string, AddressPool>();

  /** The addresses of a network, of one kind. Those of endpoints that are there are taken. */
  function poolOf(network: Network, family: 4 | 6): AddressPool | undefined {
    const config = subnetOf(network, family);
    if (config?.Subnet === undefined) return undefined;
    const key = `${network.id} ${config.Subnet}`;
    let pool = pools.get(key);
    if (pool === undefined) {
      pool = openAddressPool({
        subnet: parseSubnet(config.Subnet),
        range: config.IPRange ? parseSubnet(config.IPRange) : undefined,
        reserved: [config.Gateway ?? '', ...Object.values(config.AuxiliaryAddresses ?? {})],
      });
      for (const { address, address6 } of store.endpointsOn(network.id)) {
        const held = family === 4 ? address : address6;
        if (held !== '') pool.take(held);
      }
      pools.set(key, pool);
    }
    return pool;
  }

  function allocate(network: Network, { wish }: Attachment): { address: string; address6: string } {
    const address = poolOf(network, 4)?.allocate(wish.IPAMConfig?.IPv4Address) ?? '';
    try {
      return { address, address6: poolOf(network, 6)?.allocate(wish.IPAMConfig?.IPv6Address) ?? '' };
    } catch (error) {
      if (address !== '') poolOf(network, 4)?.release(address);
      throw error;
    }
  }

  function release(network: Network, { address, address6 }: Pick<Endpoint, 'address' | 'address6'>): void {
    if (address !== '') poolOf(network, 4)?.release(address);
    if (address6 !== '') poolOf(network, 6)?.release(address6);
  }

  function items(network: Network, endpoint: Endpoint): readonly Item[] {
    if (network.driver !== 'bridge') return [];
    const { hostInterface, mac, address, address6 } = endpoint;
    return ownAddresses({
      hostInterface,
      mac,
      addresses: [address, address6, linkLocalOf(mac)].filter((each) => each !== ''),
    });
  }

  /** Makes the interface of an endpoint in the container's namespace. */
  function plugIn(network: Network, endpoint: Endpoint, path: string): void {
    const { bridge, parent, macvlanMode, mtu, icc } = { ...optionsOf(network), bridge: network.bridge ?? '' };
    const { hostInterface } = endpoint;
    firewall.add(items(network, endpoint));
    plug(path, {
      name: endpoint.interface,
      mac: endpoint.mac,
      mtu,
      addresses: ([4, 6] as const).flatMap((family) => {
        const address = family === 4 ? endpoint.address : endpoint.address6;
        return address === '' ? [] : [{ address, prefix: prefixOf(subnetOf(network, family)) }];
      }),
      on:
        network.driver === 'bridge'
          ? { kind: 'bridge', bridge, hostInterface, isolated: !icc }
          : { kind: 'macvlan', parent: parent ?? '', mode: macvlanMode },
    });
  }

  /** The first name of an interface that the container hasn't. */
  function freeInterface(network: Network, containerId: string): string {
    const used = new Set(
      store.endpointsOf(containerId).map((endpoint) => /\d+$/.exec(endpoint.interface)?.[0]),
    );
    let number = 0;
    while (used.has(String(number))) number += 1;
    return `${optionsOf(network).interfacePrefix}${number}`;
  }

  return {
    /**
     * Gives a container its endpoint on a network whose bridge is there; `link` is the name here of a link that its
     * namespace has already, to a bridge. Leaves nothing when it fails.
     */
    add(
      network: Network,
      attachment: Attachment,
      { containerId, path, link }: { containerId: string; path: string; link?: string | undefined },
    ): Endpoint {
      const id = randomBytes(32).toString('hex');
      const base = { id, networkId: network.id, containerId };
      if (network.driver === 'host' || network.driver === 'null') {
        const none = { address: '', address6: '', mac: '', hostInterface: '', interface: '' };
        const endpoint = { ...base, ...none };
        store.addEndpoint(endpoint);
        return endpoint;
      }
      const addresses = allocate(network, attachment);
      const endpoint: Endpoint = {
        ...base,
        ...addresses,
        mac: attachment.wish.MacAddress || macOf(addresses.address),
        hostInterface: network.driver === 'bridge' ? (link ?? interfaceName()) : '',
        interface: freeInterface(network, containerId),
      };
      try {
        store.addEndpoint(endpoint);
        plugIn(network, endpoint, path);
        return endpoint;
      } catch (error) {
        this.drop(endpoint);
        throw error;
      }
    },
    plugIn,
    /** Lets the kernel's rules know one that is there already. */
    admit(network: Network, endpoint: Endpoint): void {
      firewall.add(items(network, endpoint));
    },
    /** Takes its interface away, inside where it is nowhere else. Its namespace goes on. */
    unplug(endpoint: Endpoint, path: string): void {
      // Before its address can be given to another.
      if (endpoint.hostInterface !== '') removeInterface(endpoint.hostInterface);
      else if (endpoint.interface !== '') unplug(path, endpoint.interface);
    },
    /** Forgets an endpoint whose interface is gone, or goes with its namespace. */
    drop(endpoint: Endpoint): void {
      const network = store.byId(endpoint.networkId);
      if (network !== undefined) firewall.remove(items(network, endpoint));
      store.dropEndpoint(endpoint);
      if (network !== undefined) release(network, endpoint);
    },
    forgetPools(network: Network): void {
      for (const key of pools.keys()) if (key.startsWith(network.id)) pools.delete(key);
    },
  };
}

/** The network that an attachment means. Throws `notFound` where it is gone. */
export function networkOf(store: NetworkStore, attachment: Attachment): Network {
  const network = store.byId(attachment.networkId);
  if (network !== undefined) return network;
  throw new BerthError('notFound', `network ${attachment.networkName} not found`, {
    hint: `berth network create ${attachment.networkName}, and connect the container to it`,
  });
}

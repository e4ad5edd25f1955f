import { randomBytes } from 'node:crypto';
import { BerthError } from '../api/errors.ts';
import type { EndpointWish, IpamConfig } from '../api/wire/networks.ts';
import { type Database, durably } from '../state/database.ts';
import type { PublishedPort } from './ports/types.ts';
import type { Attachment, Driver, Endpoint, Network } from './types.ts';

type NetworkRow = {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly bridge: string | null;
  readonly subnet: string | null;
  readonly gateway: string | null;
  readonly created_at: string;
  readonly config: string | null;
};
type EndpointRow = {
  readonly id: string;
  readonly network_id: string;
  readonly container_id: string;
  readonly address: string | null;
  readonly address6: string | null;
  readonly mac: string | null;
  readonly host_interface: string | null;
  readonly interface: string | null;
};

/** Networks, attachments and endpoints: in memory, written through to the database. */
export type NetworkStore = ReturnType<typeof openNetworkStore>;

const builtins = ['bridge', 'host', 'none'];

export function openNetworkStore(database: Database) {
  const statements = {
    addNetwork: database.prepare(
      'INSERT OR IGNORE INTO networks (id, name, driver, bridge, created_at, config) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    setSubnet: database.prepare('UPDATE networks SET subnet = ?, gateway = ?, bridge = ? WHERE id = ?'),
    dropNetwork: database.prepare('DELETE FROM networks WHERE id = ?'),
    addEndpoint: database.prepare(
      'INSERT INTO endpoints (id, network_id, container_id, address, address6, mac, host_interface, interface) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    dropEndpoint: database.prepare('DELETE FROM endpoints WHERE id = ?'),
    attach: database.prepare(
      'INSERT INTO attachments (container_id, network_id, network_name, wish) VALUES (?, ?, ?, ?)',
    ),
    detach: database.prepare('DELETE FROM attachments WHERE container_id = ? AND network_id = ?'),
    forget: database.prepare('DELETE FROM attachments WHERE container_id = ?'),
    publish: database.prepare('INSERT OR REPLACE INTO published (container_id, ports) VALUES (?, ?)'),
    withdraw: database.prepare('DELETE FROM published WHERE container_id = ?'),
  };
  for (const name of builtins) {
    const driver = name === 'none' ? 'null' : name;
    statements.addNetwork.run(
      randomBytes(32).toString('hex'),
      name,
      driver,
      null,
      new Date().toISOString(),
      null,
    );
  }
  const networks = new Map<string, Network>();
  for (const row of database.prepare('SELECT * FROM networks').all() as NetworkRow[])
    networks.set(row.id, networkOf(row));
  // Engines that knew one network for each container wrote endpoints and no attachments.
  database.exec(
    "INSERT INTO attachments SELECT container_id, network_id, networks.name, '{}' FROM endpoints JOIN networks ON networks.id = network_id WHERE interface IS NULL AND container_id NOT IN (SELECT container_id FROM attachments)",
  );
  const attachments = groups<Attachment>();
  for (const row of database
    .prepare('SELECT container_id, network_id, network_name, wish FROM attachments ORDER BY rowid')
    .all() as { container_id: string; network_id: string; network_name: string; wish: string }[]) {
    attachments.add(row.container_id, {
      networkId: row.network_id,
      networkName: row.network_name,
      wish: JSON.parse(row.wish) as EndpointWish,
    });
  }
  const endpoints = groups<Endpoint>();
  const onNetwork = groups<Endpoint>();
  for (const row of database.prepare('SELECT * FROM endpoints ORDER BY rowid').all() as EndpointRow[]) {
    const endpoint = endpointOf(row);
    endpoints.add(endpoint.containerId, endpoint);
    onNetwork.add(endpoint.networkId, endpoint);
  }
  const published = new Map<string, readonly PublishedPort[]>();
  for (const row of database.prepare('SELECT container_id, ports FROM published').all() as {
    container_id: string;
    ports: string;
  }[])
    published.set(row.container_id, JSON.parse(row.ports) as readonly PublishedPort[]);

  return {
    all: () => [...networks.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    byId: (id: string) => networks.get(id),
    byName: (name: string) => [...networks.values()].find((network) => network.name === name),
    /** By name, id, or unique prefix of an id. Throws `notFound`, `invalid` for a prefix of several. */
    find(name: string): Network {
      const all = [...networks.values()];
      const exact = networks.get(name) ?? all.find((network) => network.name === name);
      if (exact !== undefined) return exact;
      const found = name === '' ? [] : all.filter(({ id }) => id.startsWith(name));
      const [network] = found;
      if (network === undefined)
        throw new BerthError('notFound', `network ${name} not found`, { hint: 'berth network ls' });
      if (found.length === 1) return network;
      throw new BerthError(
        'invalid',
        `network ${name} is ambiguous (${found.length} matches found based on ID prefix)`,
        { hint: 'give more of the id' },
      );
    },
    add(network: Network): void {
      const { id, name, driver, bridge, createdAt, builtin: _builtin, ...config } = network;
      durably(database, () =>
        statements.addNetwork.run(id, name, driver, bridge ?? null, createdAt, JSON.stringify(config)),
      );
      networks.set(id, network);
    },
    /** The default bridge's own, which it gets when it is first needed. */
    setSubnet(network: Network, { Subnet, Gateway }: IpamConfig, bridge: string): Network {
      statements.setSubnet.run(Subnet ?? null, Gateway ?? null, bridge, network.id);
      const changed = {
        ...network,
        bridge,
        subnets: [{ Subnet: Subnet ?? '', Gateway: Gateway ?? '' }],
      };
      networks.set(network.id, changed);
      return changed;
    },
    drop({ id }: Network): void {
      durably(database, () => statements.dropNetwork.run(id));
      networks.delete(id);
    },

    attachmentsOf: (containerId: string) => attachments.of(containerId),
    attach(containerId: string, { networkId, networkName, wish }: Attachment): void {
      statements.attach.run(containerId, networkId, networkName, JSON.stringify(wish));
      attachments.add(containerId, { networkId, networkName, wish });
    },
    detach(containerId: string, networkId: string): void {
      statements.detach.run(containerId, networkId);
      attachments.remove(containerId, (attachment) => attachment.networkId === networkId);
    },
    forget(containerId: string): void {
      statements.forget.run(containerId);
      attachments.remove(containerId, () => true);
    },
    attachedContainers: () => attachments.keys(),

    endpoints: () => endpoints.all(),
    endpointsOf: (containerId: string) => endpoints.of(containerId),
    endpointsOn: (networkId: string) => onNetwork.of(networkId),
    addEndpoint(endpoint: Endpoint): void {
      const { id, networkId, containerId, address, address6, mac, hostInterface } = endpoint;
      statements.addEndpoint.run(
        id,
        networkId,
        containerId,
        address || null,
        address6 || null,
        mac,
        hostInterface,
        endpoint.interface,
      );
      endpoints.add(containerId, endpoint);
      onNetwork.add(networkId, endpoint);
    },
    dropEndpoint({ id, containerId, networkId }: Endpoint): void {
      statements.dropEndpoint.run(id);
      endpoints.remove(containerId, (endpoint) => endpoint.id === id);
      onNetwork.remove(networkId, (endpoint) => endpoint.id === id);
    },

    publishedOf: (containerId: string) => published.get(containerId) ?? [],
    publishers: () => [...published.keys()],
    /** What leads to a running container; nothing where it publishes nothing. */
    setPublished(containerId: string, ports: readonly PublishedPort[]): void {
      if (ports.length > 0) {
        statements.publish.run(containerId, JSON.stringify(ports));
        published.set(containerId, ports);
      } else if (published.delete(containerId)) statements.withdraw.run(containerId);
    },
  };
}

/** Lists by a key. */
function groups<T>() {
  const lists = new Map<string, readonly T[]>();
  return {
    of: (key: string): readonly T[] => lists.get(key) ?? [],
    all: (): readonly T[] => [...lists.values()].flat(),
    keys: (): readonly string[] => [...lists.keys()],
    add: (key: string, item: T) => void lists.set(key, [...(lists.get(key) ?? []), item]),
    remove(key: string, test: (item: T) => boolean): void {
      const kept = (lists.get(key) ?? []).filter((item) => !test(item));
      if (kept.length > 0) lists.set(key, kept);
      else lists.delete(key);
    },
  };
}

function networkOf(row: NetworkRow): Network {
  const base = {
    id: row.id,
    name: row.name,
    driver: row.driver as Driver,
    createdAt: row.created_at,
    builtin: builtins.includes(row.name),
    bridge: row.bridge ?? undefined,
  };
  if (row.config !== null)
    return { ...base, ...(JSON.parse(row.config) as Omit<Network, keyof typeof base>) };
  return {
    ...base,
    subnets: row.subnet === null ? [] : [{ Subnet: row.subnet, Gateway: row.gateway ?? '' }],
    subnetsGiven: false,
    ipamOptions: null,
    internal: false,
    attachable: false,
    ipv6: false,
    options: {},
    labels: {},
  };
}

function endpointOf(row: EndpointRow): Endpoint {
  return {
    id: row.id,
    networkId: row.network_id,
    containerId: row.container_id,
    address: row.address ?? '',
    address6: row.address6 ?? '',
    mac: row.mac ?? '',
    hostInterface: row.host_interface ?? '',
    // Rows of engines that knew one network for each container say nothing.
    interface: row.interface ?? 'eth0',
  };
}

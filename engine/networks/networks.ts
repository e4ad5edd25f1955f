import { createHash, randomBytes } from 'node:crypto';
import { BerthError } from '../api/errors.ts';
import type { EndpointSettings } from '../api/wire.ts';
import type { Database } from '../state/database.ts';
import { formatAddress, formatSubnet, parseSubnet, sizeOf } from './addresses.ts';
import { ensureBridge, macOf, removeBridge } from './bridge.ts';
import { createNamespace, removeInterface, removeNamespace } from './namespaces.ts';
import { chooseSubnet } from './pool.ts';
import type { NetworkMode, Networks, NetworkView } from './types.ts';

type NetworkRow = {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly bridge: string | null;
  readonly subnet: string | null;
  readonly gateway: string | null;
  readonly created_at: string;
};
type EndpointRow = {
  readonly id: string;
  readonly network_id: string;
  readonly container_id: string;
  readonly address: string;
  readonly mac: string;
  readonly host_interface: string;
};

export type NetworkSettings = {
  /** Name of the default bridge's interface: at most 15 bytes, as the kernel has it. */
  readonly bridge: string;
  /** Its IPv4 network, `172.30.0.0/16`; the first free one where it is not given. */
  readonly subnet?: string | undefined;
};

const modes: readonly NetworkMode[] = ['bridge', 'none', 'host'];

/** Opens the networks of an engine. The bridge itself is made when the first container needs it. */
export function openNetworks(database: Database, settings: NetworkSettings): Networks {
  const statements = {
    networks: database.prepare('SELECT * FROM networks ORDER BY name'),
    network: database.prepare('SELECT * FROM networks WHERE name = ?'),
    addNetwork: database.prepare(
      'INSERT OR IGNORE INTO networks (id, name, driver, bridge, subnet, gateway, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    setSubnet: database.prepare('UPDATE networks SET subnet = ?, gateway = ?, bridge = ? WHERE name = ?'),
    endpoints: database.prepare('SELECT * FROM endpoints'),
    endpoint: database.prepare('SELECT * FROM endpoints WHERE container_id = ?'),
    addEndpoint: database.prepare(
      'INSERT INTO endpoints (id, network_id, container_id, address, mac, host_interface) VALUES (?, ?, ?, ?, ?, ?)',
    ),
    dropEndpoint: database.prepare('DELETE FROM endpoints WHERE container_id = ?'),
  };
  for (const mode of modes) {
    const driver = mode === 'none' ? 'null' : mode;
    statements.addNetwork.run(
      randomBytes(32).toString('hex'),
      mode,
      driver,
      null,
      null,
      null,
      new Date().toISOString(),
    );
  }

  const networkNamed = (name: string) => statements.network.get(name) as NetworkRow | undefined;
  const endpointOf = (containerId: string) => statements.endpoint.get(containerId) as EndpointRow | undefined;
  const taken = new Set((statements.endpoints.all() as EndpointRow[]).map((row) => row.address));
  let cursor = 0;
  let prepared:
    | Promise<NetworkRow & { readonly subnet: string; readonly gateway: string; readonly bridge: string }>
    | undefined;

  /** The default bridge, made once for each run of the engine; a failure is tried again by the next container. */
  function prepare() {
    prepared ??= prepareBridge().catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  }

  async function prepareBridge() {
    const row = networkNamed('bridge');
    if (row === undefined)
      throw new BerthError('internal', 'the network bridge is missing from the database');
    const wanted = settings.subnet ?? row.subnet ?? undefined;
    const subnet = wanted === undefined ? await chooseSubnet([]) : parseSubnet(wanted);
    const gateway = formatAddress(subnet.base + 1);
    const bridge = { name: settings.bridge, gateway, prefix: subnet.prefix, subnet: formatSubnet(subnet) };
    statements.setSubnet.run(bridge.subnet, gateway, bridge.name, row.name);
    await ensureBridge(bridge);
    return { ...row, subnet: bridge.subnet, gateway, bridge: bridge.name };
  }

  /** The next free address after the last one given: one that was let go rests for as long as can be. */
  function allocate(network: { readonly subnet: string; readonly gateway: string }): string {
    const subnet = parseSubnet(network.subnet);
    const size = sizeOf(subnet);
    for (let tried = 0; tried < size; tried += 1) {
      cursor = (cursor + 1) % size;
      const address = formatAddress(subnet.base + cursor);
      if (cursor < 2 || cursor === size - 1 || address === network.gateway || taken.has(address)) continue;
      taken.add(address);
      return address;
    }
    throw new BerthError('conflict', `no address is free in ${network.subnet}`, {
      hint: 'remove containers that run',
    });
  }

  async function disconnect(
    containerId: string,
    path: string,
    { shared = false }: { readonly shared?: boolean } = {},
  ): Promise<void> {
    await removeNamespace(path);
    const row = endpointOf(containerId);
    if (row === undefined) return;
    // Before its address can be given to another.
    if (shared) await removeInterface(row.host_interface);
    statements.dropEndpoint.run(containerId);
    taken.delete(row.address);
  }

  return {
    modeOf(name) {
      const mode = name === '' || name === 'default' ? 'bridge' : name;
      if (!(modes as readonly string[]).includes(mode)) {
        throw new BerthError('notFound', `network ${name} not found`, {
          hint: `use one of ${modes.join(', ')}`,
        });
      }
      return mode as NetworkMode;
    },

    async connect({ containerId, mode, path, mac: wantedMac }) {
      if (mode === 'host') return { namespace: undefined, address: undefined };
      if (mode === 'none') {
        createNamespace(path, undefined);
        return { namespace: path, address: undefined };
      }
      const network = await prepare();
      const address = allocate(network);
      const id = randomBytes(32).toString('hex');
      const hostInterface = interfaceName(settings.bridge, id);
      const prefix = parseSubnet(network.subnet).prefix;
      const mac = wantedMac ?? macOf(address);
      try {
        statements.addEndpoint.run(id, network.id, containerId, address, mac, hostInterface);
        const link = {
          bridge: network.bridge,
          hostInterface,
          mac,
          address,
          prefix,
          gateway: network.gateway,
        };
        createNamespace(path, link);
      } catch (error) {
        await disconnect(containerId, path);
        taken.delete(address);
        throw error;
      }
      return { namespace: path, address };
    },

    disconnect,

    endpointsOf(containerId, mode) {
      if (!(modes as readonly string[]).includes(mode)) return {};
      const network = networkNamed(mode);
      const row = endpointOf(containerId);
      return { [mode]: endpointView(network, row) };
    },

    list: () => (statements.networks.all() as NetworkRow[]).map((row) => networkView(row, [])),

    inspect(name) {
      const rows = statements.networks.all() as NetworkRow[];
      const matches = rows.filter((row) => row.name === name || row.id === name);
      const found =
        matches.length > 0 ? matches : rows.filter((row) => name !== '' && row.id.startsWith(name));
      const [row] = found;
      if (row === undefined)
        throw new BerthError('notFound', `network ${name} not found`, { hint: 'see GET /networks' });
      if (found.length > 1)
        throw new BerthError(
          'invalid',
          `network ${name} is ambiguous (${found.length} matches found on name)`,
        );
      return networkView(
        row,
        (statements.endpoints.all() as EndpointRow[]).filter((endpoint) => endpoint.network_id === row.id),
      );
    },

    async close() {
      const bridge = networkNamed('bridge')?.bridge;
      if (bridge) await removeBridge(bridge);
      prepared = undefined;
    },

    async recover(running) {
      for (const row of statements.endpoints.all() as EndpointRow[]) {
        if (running.has(row.container_id)) continue;
        statements.dropEndpoint.run(row.container_id);
        taken.delete(row.address);
      }
      if ((statements.endpoints.all() as EndpointRow[]).length > 0) await prepare();
    },
  };
}

/**
 * A name for the host's end of an endpoint's link, at most 15 bytes (IFNAMSIZ), and no other engine's. New for each
 * run of a container: the kernel takes a namespace's links away some time after the namespace was let go.
 */
function interfaceName(bridge: string, endpointId: string): string {
  const hash = createHash('sha256').update(`${bridge} ${endpointId}`).digest('hex');
  return `bv${hash.slice(0, 12)}`;
}

function endpointView(network: NetworkRow | undefined, row: EndpointRow | undefined): EndpointSettings {
  const up = row !== undefined && network?.subnet != null;
  return {
    IPAMConfig: null,
    Links: null,
    Aliases: null,
    DriverOpts: null,
    DNSNames: null,
    NetworkID: network?.id ?? '',
    EndpointID: row?.id ?? '',
    Gateway: up ? (network.gateway ?? '') : '',
    IPAddress: up ? row.address : '',
    IPPrefixLen: up ? parseSubnet(network.subnet ?? '').prefix : 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    MacAddress: up ? row.mac : '',
  };
}

function networkView(row: NetworkRow, endpoints: readonly EndpointRow[]): NetworkView {
  const config = row.subnet === null ? [] : [{ Subnet: row.subnet, Gateway: row.gateway ?? '' }];
  return {
    Name: row.name,
    Id: row.id,
    Created: row.created_at,
    Scope: 'local',
    Driver: row.driver,
    EnableIPv6: false,
    IPAM: { Driver: 'default', Options: null, Config: config },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      endpoints.map((endpoint) => [endpoint.container_id, containerView(endpoint, row)]),
    ),
    Options: row.bridge === null ? {} : { 'com.docker.network.bridge.name': row.bridge },
    Labels: {},
  };
}

function containerView(endpoint: EndpointRow, network: NetworkRow): object {
  const prefix = network.subnet === null ? 32 : parseSubnet(network.subnet).prefix;
  return {
    Name: '',
    EndpointID: endpoint.id,
    MacAddress: endpoint.mac,
    IPv4Address: `${endpoint.address}/${prefix}`,
    IPv6Address: '',
  };
}

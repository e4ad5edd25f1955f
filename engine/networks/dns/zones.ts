import type { JoinedNetwork } from './protocol.ts';

/** Who is called what on which network. */
export type Zones = {
  join(endpoint: JoinedNetwork): void;
  leave(containerId: string, networkId: string): void;
  /** The addresses of a name as a container sees it, one time these first and one time those; undefined for a name that nobody has. */
  lookUp(containerId: string, name: string): readonly string[] | undefined;
  /** The name of an address on one of the container's networks. */
  nameOf(containerId: string, address: string): string | undefined;
  /** Whether none of its networks leads outside. */
  isInside(containerId: string): boolean;
};

type Zone = {
  readonly name: string;
  readonly endpoints: Map<string, JoinedNetwork>;
  readonly byName: Map<string, Set<JoinedNetwork>>;
  readonly byAddress: Map<string, JoinedNetwork>;
};

export function openZones(): Zones {
  const zones = new Map<string, Zone>();
  const ofContainer = new Map<string, Map<string, JoinedNetwork>>();
  let turn = 0;

  const zonesOf = (containerId: string) =>
    [...(ofContainer.get(containerId)?.values() ?? [])].flatMap((endpoint) => {
      const zone = zones.get(endpoint.networkId);
      return zone === undefined ? [] : [{ endpoint, zone }];
    });

  function leave(containerId: string, networkId: string): void {
    const zone = zones.get(networkId);
    const endpoint = zone?.endpoints.get(containerId);
    if (zone === undefined || endpoint === undefined) return;
    zone.endpoints.delete(containerId);
    for (const name of endpoint.names) {
      const all = zone.byName.get(name.toLowerCase());
      all?.delete(endpoint);
      if (all?.size === 0) zone.byName.delete(name.toLowerCase());
    }
    for (const address of endpoint.addresses) zone.byAddress.delete(address);
    if (zone.endpoints.size === 0) zones.delete(networkId);
    const own = ofContainer.get(containerId);
    own?.delete(networkId);
    if (own?.size === 0) ofContainer.delete(containerId);
  }

  return {
    leave,
    join(endpoint) {
      const { containerId, networkId } = endpoint;
      leave(containerId, networkId);
      let zone = zones.get(networkId);
      if (zone === undefined) {
        zone = {
          name: endpoint.networkName,
          endpoints: new Map(),
          byName: new Map(),
          byAddress: new Map(),
        };
        zones.set(networkId, zone);
      }
      zone.endpoints.set(containerId, endpoint);
      for (const name of endpoint.names) {
        const key = name.toLowerCase();
        const all = zone.byName.get(key);
        if (all === undefined) zone.byName.set(key, new Set([endpoint]));
        else all.add(endpoint);
      }
      for (const address of endpoint.addresses) zone.byAddress.set(address, endpoint);
      const own = ofContainer.get(containerId);
      if (own === undefined) ofContainer.set(containerId, new Map([[networkId, endpoint]]));
      else own.set(networkId, endpoint);
    },
    lookUp(containerId, name) {
      const found: string[] = [];
      let known = false;
      for (const { endpoint, zone } of zonesOf(containerId)) {
        const linked = endpoint.links.find(({ alias }) => alias.toLowerCase() === name)?.name.toLowerCase();
        const suffix = `.${zone.name.toLowerCase()}`;
        const plain = name.endsWith(suffix) ? name.slice(0, -suffix.length) : undefined;
        for (const key of [linked, name, plain]) {
          const all = key === undefined ? undefined : zone.byName.get(key);
          if (all === undefined) continue;
          known = true;
          for (const { addresses } of all) found.push(...addresses);
          break;
        }
      }
      if (!known) return undefined;
      if (found.length < 2) return found;
      turn += 1;
      const first = turn % found.length;
      return [...new Set([...found.slice(first), ...found.slice(0, first)])];
    },
    nameOf(containerId, address) {
      for (const { zone } of zonesOf(containerId)) {
        const endpoint = zone.byAddress.get(address);
        if (endpoint !== undefined) return `${endpoint.names[0]}.${zone.name}`;
      }
      return undefined;
    },
    isInside(containerId) {
      const own = zonesOf(containerId);
      return own.length > 0 && own.every(({ endpoint }) => endpoint.internal);
    },
  };
}

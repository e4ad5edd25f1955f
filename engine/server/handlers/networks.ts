import { BerthError } from '../../api/errors.ts';
import type { Network } from '../../networks/types.ts';
import { empty, type Handlers, json, type ServerParts } from '../exchange.ts';

type Ids =
  | 'networkList'
  | 'networkCreate'
  | 'networkInspect'
  | 'networkRemove'
  | 'networkPrune'
  | 'networkConnect'
  | 'networkDisconnect';

/** Networks, and who is on them. */
export function networkHandlers({
  networks,
  containers,
  events,
}: Pick<ServerParts, 'networks' | 'containers' | 'events'>): Pick<Handlers, Ids> {
  const record = (action: string, { id, name, driver }: Network) =>
    events.record({ type: 'network', action, id, attributes: { name, type: driver } });
  return {
    networkList: ({ query }) => json(networks.list(query.filter)),
    networkCreate: async ({ body }) => {
      const { network, warning } = await networks.create(body);
      record('create', network);
      return json({ Id: network.id, Warning: warning }, 201);
    },
    networkInspect: ({ path, query }) => {
      if (query.scope === 'swarm' || query.scope === 'global')
        throw new BerthError('notFound', `network ${path.id} not found`, { hint: 'networks here are local' });
      return json(networks.inspect(path.id));
    },
    networkRemove: async ({ path }) => {
      record('destroy', await networks.remove(path.id));
      return empty(204);
    },
    networkPrune: async ({ query }) => {
      const removed = await networks.prune(query.filter ?? {});
      for (const network of removed) record('destroy', network);
      events.record({ type: 'network', action: 'prune', id: '', attributes: { reclaimed: '0' } });
      return json({ NetworksDeleted: removed.length === 0 ? null : removed.map(({ name }) => name) });
    },
    networkConnect: async ({ path, body }) => {
      await containers.connectNetwork(path.id, body);
      return empty(200);
    },
    networkDisconnect: async ({ path, body }) => {
      await containers.disconnectNetwork(path.id, body);
      return empty(200);
    },
  };
}

import { boolean, string } from '../fields.ts';
import type { NetworksPruned } from '../wire/disk-usage.ts';
import type {
  ConnectNetworkBody,
  CreateNetworkBody,
  DisconnectNetworkBody,
  NetworkInspect,
} from '../wire/networks.ts';
import { operation } from './define.ts';
import { shared } from './shared.ts';

/** Networks. */
export const networkOperations = {
  networkList: operation<readonly NetworkInspect[]>()({
    summary: 'List networks',
    route: 'GET /networks',
    query: { filter: shared.filter },
  }),
  networkCreate: operation<{ readonly Id: string; readonly Warning: string }, CreateNetworkBody>()({
    summary: 'Create a network',
    route: 'POST /networks/create',
    body: 'json',
  }),
  networkPrune: operation<NetworksPruned>()({
    summary: 'Remove networks that nothing uses',
    route: 'POST /networks/prune',
    query: { filter: shared.filter },
  }),
  networkInspect: operation<NetworkInspect>()({
    summary: 'Show all about a network',
    route: 'GET /networks/{id}',
    query: {
      verbose: boolean('Show services of a swarm too', { short: 'v' }),
      scope: string('Where to look for it', { values: ['', 'local', 'global', 'swarm'] }),
    },
  }),
  networkRemove: operation()({
    summary: 'Remove a network',
    route: 'DELETE /networks/{id}',
    answer: 'none',
  }),
  networkConnect: operation<undefined, ConnectNetworkBody>()({
    summary: 'Connect a container to a network',
    route: 'POST /networks/{id}/connect',
    body: 'json',
    answer: 'none',
  }),
  networkDisconnect: operation<undefined, DisconnectNetworkBody>()({
    summary: 'Disconnect a container from a network',
    route: 'POST /networks/{id}/disconnect',
    body: 'json',
    answer: 'none',
  }),
};

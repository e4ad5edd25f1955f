import type { NetworksPruned } from '../wire/disk-usage.ts';
import { operation } from './define.ts';
import { shared } from './shared.ts';

/** Networks. */
export const networkOperations = {
  networkList: operation<
    readonly { readonly Name: string; readonly Id: string; readonly Driver: string }[]
  >()({
    summary: 'List networks',
    route: 'GET /networks',
    query: { filter: shared.filter },
  }),
  networkPrune: operation<NetworksPruned>()({
    summary: 'Remove networks that nothing uses',
    route: 'POST /networks/prune',
    query: { filter: shared.filter },
  }),
  networkInspect: operation<Readonly<Record<string, unknown>>>()({
    summary: 'Show all about a network',
    route: 'GET /networks/{id}',
  }),
};

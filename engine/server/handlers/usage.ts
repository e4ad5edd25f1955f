import { type Handlers, json, type ServerParts } from '../exchange.ts';
import { jsonLines } from './system.ts';

/** Containers: what runs in them, and what they use. */
export function usageHandlers({
  containers,
}: Pick<ServerParts, 'containers'>): Pick<Handlers, 'containerStats' | 'containerTop'> {
  return {
    containerStats: ({ path, query, signal }) => {
      const { stream = true, oneShot = false } = query;
      const records = containers.stats(path.id, { stream, oneShot }, signal);
      return { kind: 'stream', contentType: 'application/json', chunks: jsonLines(records) };
    },
    containerTop: async ({ path, query }) => json(await containers.top(path.id, query.psArgs)),
  };
}

import type { Handlers, ServerParts } from '../exchange.ts';
import { jsonLines } from './system.ts';

/** The engine's own registry. */
export function registryHandlers({
  registry,
}: Pick<ServerParts, 'registry'>): Pick<Handlers, 'registryServe'> {
  return {
    registryServe: async ({ body, signal }) => {
      const lines = await registry.serve(body, signal);
      return { kind: 'stream', contentType: 'application/json', chunks: jsonLines(lines) };
    },
  };
}

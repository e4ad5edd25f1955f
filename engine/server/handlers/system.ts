import { check } from '../check.ts';
import { type Handlers, json, type ServerParts } from '../exchange.ts';
import { parseMoment } from '../moments.ts';
import { failureLine } from '../progress.ts';

/** The engine itself: ping, version, info, events. */
export function systemHandlers(
  parts: Pick<ServerParts, 'version' | 'info' | 'events' | 'images' | 'volumes' | 'containers'>,
): Pick<Handlers, 'ping' | 'version' | 'info' | 'events' | 'systemCheck'> {
  return {
    ping: () => ({
      kind: 'text',
      text: 'OK',
      headers: {
        'Cache-Control': 'no-cache, no-store, must-revalidate',
        Pragma: 'no-cache',
        Swarm: 'inactive',
      },
    }),
    version: () => json(parts.version()),
    info: async () => json(await parts.info()),
    systemCheck: async ({ query, signal }) => {
      const looks = [
        ...(await parts.images.checks(signal)),
        ...parts.volumes.checks(),
        ...(await parts.containers.checks()),
      ];
      const lines = check(looks, { repair: query.repair === true, signal });
      const chunks = jsonLines(lines);
      return { kind: 'stream', contentType: 'application/json', chunks, failure: failureLine };
    },
    events: ({ query, signal }) => {
      const messages = parts.events.follow({
        since: query.since === undefined ? undefined : parseMoment('since', query.since),
        until: query.until === undefined ? undefined : parseMoment('until', query.until),
        filter: query.filter,
        signal,
      });
      return { kind: 'stream', contentType: 'application/json', chunks: jsonLines(messages) };
    },
  };
}

/** Values as JSON lines, as they come. */
export async function* jsonLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}

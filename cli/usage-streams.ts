import { type BerthError, toBerthError } from '../engine/api/errors.ts';
import type { Client } from '../engine/client/client.ts';
import type { Used } from './usage.ts';

/** Records of what containers use, as they come; in the order in which the containers were added. */
export type UsageStreams = {
  add(container: string): void;
  drop(container: string): void;
  rows(): readonly Used[];
  /** Settles once each of those added so far has given a record, or none for two seconds. */
  begun(): Promise<void>;
  /** What went wrong with those that there is nothing of. */
  errors(): readonly BerthError[];
};

const PATIENCE_MS = 2_000;

type Stream = {
  used: Used;
  error?: BerthError;
  readonly begun: Promise<void>;
  readonly stop: AbortController;
};

/** Opens streams until `signal` aborts; with `once`, each gives one record. */
export function openUsage(
  client: Client,
  { once, signal }: { readonly once: boolean; readonly signal: AbortSignal },
): UsageStreams {
  const streams = new Map<string, Stream>();

  async function follow(container: string, stream: Stream, begun: () => void): Promise<void> {
    const ended = AbortSignal.any([signal, stream.stop.signal]);
    const late = setTimeout(begun, once ? 2 * PATIENCE_MS : PATIENCE_MS);
    try {
      const input = { id: container, stream: !once };
      for await (const stats of client.lines('containerStats', input, { signal: ended })) {
        stream.used = { container, stats };
        begun();
      }
    } catch (thrown) {
      if (!ended.aborted) stream.error = toBerthError(thrown);
    } finally {
      clearTimeout(late);
      begun();
    }
  }

  return {
    add(container) {
      if (streams.has(container)) return;
      const begun = Promise.withResolvers<void>();
      const stream: Stream = {
        used: { container, stats: undefined },
        begun: begun.promise,
        stop: new AbortController(),
      };
      streams.set(container, stream);
      void follow(container, stream, begun.resolve);
    },
    drop(container) {
      streams.get(container)?.stop.abort();
      streams.delete(container);
    },
    rows: () => [...streams.values()].map(({ used }) => used),
    begun: async () => void (await Promise.all([...streams.values()].map((stream) => stream.begun))),
    errors: () => [...streams.values()].flatMap(({ error }) => error ?? []),
  };
}

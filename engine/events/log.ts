import { EventEmitter, on } from 'node:events';
import { BerthError } from '../api/errors.ts';
import type { Filters } from '../api/fields.ts';
import type { EventMessage } from '../api/wire.ts';
import { type Database, transaction } from '../state/database.ts';
import { matchesEvent } from './filter.ts';
import type { Events, Happening } from './types.ts';

/** How many past events are kept. */
const KEPT = 10_000;
/** Old ones are taken away only every so often: it costs a write. */
const PRUNE_EVERY = 500;

/** The event log of an engine: rows for the past, an emitter for what happens now. */
export function openEvents(database: Database): Events {
  const live = new EventEmitter();
  live.setMaxListeners(0);
  const insert = database.prepare('INSERT INTO events (time_nano, message) VALUES (?, ?)');
  const past = database.prepare(
    'SELECT id, message FROM events WHERE time_nano >= ? AND id > ? ORDER BY id LIMIT 500',
  );
  const prune = database.prepare('DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?');
  let recorded = 0;

  function record(happening: Happening): void {
    const message = toMessage(happening, nowNano());
    insert.run(BigInt(message.timeNano), JSON.stringify(message));
    recorded += 1;
    if (recorded % PRUNE_EVERY === 0) transaction(database, () => prune.run(KEPT));
    live.emit('event', message);
  }

  async function* follow(query: Parameters<Events['follow']>[0]): AsyncGenerator<EventMessage> {
    const { since, until, filter = {} } = query;
    const untilTimer = new AbortController();
    const signal = AbortSignal.any([query.signal, untilTimer.signal]);
    const left = until === undefined ? undefined : Number((until - nowNano()) / 1_000_000n);
    const timer =
      left === undefined || left <= 0
        ? undefined
        : setTimeout(() => untilTimer.abort(), Math.min(left, 2 ** 31 - 1));
    // Subscribed before the past is read, so that nothing falls between; `seen` drops what comes twice.
    const news = on(live, 'event', { signal });
    const seen = new Set<string>();
    try {
      if (since !== undefined) {
        for (const message of readPast(since, until)) {
          seen.add(identity(message));
          if (matchesEvent(message, filter)) yield message;
        }
      }
      if (left !== undefined && left <= 0) return;
      for await (const [message] of news as AsyncIterable<[EventMessage]>) {
        if (seen.delete(identity(message))) continue;
        if (matchesEvent(message, filter)) yield message;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
      await news.return?.();
    }
  }

  function* readPast(since: bigint, until: bigint | undefined): Generator<EventMessage> {
    let last = 0;
    for (;;) {
      const rows = past.all(since, last) as { id: number; message: string }[];
      for (const row of rows) {
        last = row.id;
        const message = JSON.parse(row.message) as EventMessage;
        if (until !== undefined && BigInt(message.timeNano) > until) return;
        yield message;
      }
      if (rows.length === 0) return;
    }
  }

  return {
    record,
    listeners: () => live.listenerCount('event'),
    follow(query) {
      checkFilter(query.filter ?? {});
      return follow(query);
    },
  };
}

let lastNano = 0n;

/** The wall clock in nanoseconds; each moment is later than the one before it, so that events keep their order. */
export function nowNano(): bigint {
  const now = BigInt(Date.now()) * 1_000_000n;
  lastNano = now > lastNano ? now : lastNano + 1_000n;
  return lastNano;
}

const identity = (message: EventMessage) => `${message.timeNano} ${message.Action} ${message.Actor.ID}`;

function toMessage(happening: Happening, time: bigint): EventMessage {
  const { type, action, id, attributes } = happening;
  // `status`, `id` and `from`: what clients older than API 1.22 read, and docker-compose 1 still does.
  const old = type === 'container' || type === 'image' ? { status: action, id } : {};
  const from = type === 'container' && attributes.image !== undefined ? { from: attributes.image } : {};
  return {
    ...old,
    ...from,
    Type: type,
    Action: action,
    Actor: { ID: id, Attributes: attributes },
    scope: 'local',
    time: Number(time / 1_000_000_000n),
    timeNano: Number(time),
  };
}

const known = ['container', 'image', 'network', 'volume', 'daemon', 'type', 'event', 'label', 'scope'];
/** Kinds of things that this engine has none of: nothing happens to them. */
const absent = ['config', 'node', 'plugin', 'secret', 'service'];

function checkFilter(filter: Filters): void {
  for (const name of Object.keys(filter)) {
    if (!known.includes(name) && !absent.includes(name)) {
      throw new BerthError('invalid', `invalid filter '${name}'`, {
        hint: `filter events by ${known.join(', ')}`,
      });
    }
  }
}

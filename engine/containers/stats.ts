import { setInterval } from 'node:timers';
import { BerthError } from '../api/errors.ts';
import type { ContainerStats } from '../api/wire/stats.ts';
import { type CgroupPlaces, findCgroup } from '../runtime/cgroup-places.ts';
import { noBlkio, noCpu, readUsage, type Usage } from '../runtime/usage.ts';
import type { Context } from './context.ts';
import type { ContainerRecord } from './record.ts';
import { onceSettled } from './settled.ts';

export type StatsApi = {
  /**
   * What a container uses, once a second until it is removed; nothing is measured while nobody listens. Of one that
   * does not run there are empty records, as dockerd has it. Without `stream` one record: compared with one a second
   * before, or with `oneShot` at once and compared with nothing. Throws `notFound`, and `invalid` on both at once.
   */
  stats(
    name: string,
    query: { readonly stream: boolean; readonly oneShot: boolean },
    signal: AbortSignal,
  ): AsyncIterable<ContainerStats>;
};

const EVERY_MS = 1_000;
const NEVER = '0001-01-01T00:00:00Z';

type Sample = Usage & { readonly read: string };
type Listener = { take(sample: Sample): void };
type Measuring = { readonly listeners: Set<Listener>; stop(): void };

const NOTHING: Sample = {
  read: NEVER,
  pids_stats: {},
  blkio_stats: noBlkio,
  cpu_stats: noCpu,
  memory_stats: {},
};

/** The measuring of containers: one timer for each that is listened to, however many listen. */
export function containerStats(context: Context): StatsApi {
  const listened = new Map<ContainerRecord, Measuring>();

  function listen(record: ContainerRecord, listener: Listener): Disposable {
    let measuring = listened.get(record);
    if (measuring === undefined) {
      const listeners = new Set<Listener>();
      const measure = meter(context, record);
      const publish = () => {
        const sample = measure();
        for (const each of listeners) each.take(sample);
      };
      const timer = setInterval(publish, EVERY_MS);
      measuring = { listeners, stop: () => clearInterval(timer) };
      listened.set(record, measuring);
      // The first one need not wait.
      setImmediate(publish);
    }
    const { listeners, stop } = measuring;
    listeners.add(listener);
    return {
      [Symbol.dispose]() {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        stop();
        if (listened.get(record)?.listeners === listeners) listened.delete(record);
      },
    };
  }

  async function* follow(
    record: ContainerRecord,
    stream: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<ContainerStats> {
    let news = Promise.withResolvers<void>();
    let waiting: Sample | undefined;
    let gone = false;
    const wake = () => news.resolve();
    // Of what a slow reader has not taken only the newest is kept.
    using _listening = listen(record, {
      take(sample) {
        waiting = sample;
        wake();
      },
    });
    using _removed = onceSettled(record.removed.promise, () => {
      gone = true;
      wake();
    });
    signal.addEventListener('abort', wake, { once: true });
    let before = NOTHING;
    for (let count = 0; !gone && !signal.aborted; ) {
      await news.promise;
      news = Promise.withResolvers();
      if (waiting === undefined) continue;
      const sample = waiting;
      waiting = undefined;
      count += 1;
      if (stream || count > 1) yield statsOf(record, sample, before);
      if (!stream && count > 1) return;
      before = sample;
    }
  }

  async function* once(stats: ContainerStats): AsyncGenerator<ContainerStats> {
    yield stats;
  }

  return {
    stats(name, { stream, oneShot }, signal) {
      const record = context.store.find(name);
      if (stream && oneShot)
        throw new BerthError('invalid', 'cannot have stream=true and one-shot=true', {
          hint: 'send stream=0 with one-shot=1',
        });
      if (stream) return follow(record, true, signal);
      const running = record.life.status === 'running';
      if (!running || oneShot)
        return once(statsOf(record, running ? meter(context, record)() : NOTHING, NOTHING));
      return follow(record, false, signal);
    },
  };
}

/** Measures one container, over its restarts. */
function meter(context: Context, record: ContainerRecord): () => Sample {
  let places: CgroupPlaces | undefined;
  let placesOf: number | undefined;
  return () => {
    const { life } = record;
    if (life.status !== 'running') return NOTHING;
    const { pid } = life.process;
    if (pid !== placesOf || places === undefined) {
      places = findCgroup(pid, record.id, context.cgroups);
      placesOf = pid;
    }
    const usage = places === undefined ? undefined : readUsage(places, pid);
    return usage === undefined ? NOTHING : { ...usage, read: new Date().toISOString() };
  };
}

function statsOf(record: ContainerRecord, sample: Sample, before: Sample): ContainerStats {
  const { read, networks, ...usage } = sample;
  return {
    name: `/${record.name}`,
    id: record.id,
    read,
    preread: before.read,
    pids_stats: usage.pids_stats,
    blkio_stats: usage.blkio_stats,
    num_procs: 0,
    storage_stats: {},
    cpu_stats: usage.cpu_stats,
    precpu_stats: before.cpu_stats,
    memory_stats: usage.memory_stats,
    ...(networks === undefined ? {} : { networks }),
  };
}

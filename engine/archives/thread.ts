import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BerthError } from '../api/errors.ts';
import type { ByteStream } from '../api/operations.ts';
import type { Change, PathStat } from '../api/wire/archives.ts';
import {
  archiveWorkerUrl,
  CANCELLED,
  type ExtractOptions,
  type Given,
  type Job,
  MAX_WAITING,
  type Message,
  TAKEN,
  type ThreadData,
  type View,
} from './protocol.ts';

/** What a path names, and it as a tar archive. */
export type Packed = { readonly stat: PathStat; readonly archive: AsyncIterable<Uint8Array> };

/** What `path` names in a tree. Throws `notFound`, `invalid`, `conflict` where the process has ended. */
export async function statPath(view: View, path: string, signal: AbortSignal): Promise<PathStat> {
  using thread = startThread({ kind: 'stat', view, path }, signal);
  return statOf(await thread.next());
}

/**
 * What `path` names in a tree, as an archive: settles when it is found. The thread works only as fast as the archive
 * is read, and ends with the reading. It is called `as` in the archive, else what its path calls it.
 */
export async function packPath(
  view: View,
  path: string,
  signal: AbortSignal,
  { as }: { readonly as?: string } = {},
): Promise<Packed> {
  const thread = startThread({ kind: 'pack', view, path, as }, signal);
  try {
    return { stat: statOf(await thread.next()), archive: chunksOf(thread) };
  } catch (error) {
    thread[Symbol.dispose]();
    throw error;
  }
}

/** A whole tree, without its root, as an archive. */
export function packTree(view: View, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return chunksOf(startThread({ kind: 'export', view }, signal));
}

/** The upper directory of an overlay as an image layer. */
export function packLayer(upper: string, signal: AbortSignal): AsyncIterable<Uint8Array> {
  return chunksOf(startThread({ kind: 'layer', upper }, signal));
}

/** How the upper directory of an overlay differs from the layers below it. */
export async function listChanges(
  upper: string,
  lower: View,
  signal: AbortSignal,
): Promise<readonly Change[]> {
  using thread = startThread({ kind: 'changes', upper, lower }, signal);
  const message = await thread.next();
  if (message?.type !== 'done') throw endedEarly();
  return message.changes ?? [];
}

/**
 * Puts an archive, not compressed, into a directory of a tree. Settles when the thread has ended: until then it may
 * still write. Throws what `createExtractor` does, and `cancelled`; what was made until then stays.
 */
export async function extractInto(
  view: View,
  options: ExtractOptions,
  source: ByteStream,
  signal: AbortSignal,
): Promise<void> {
  using thread = startThread({ kind: 'extract', view, ...options }, signal);
  let waiting = 0;
  /** Waits until so few chunks are on the way. */
  const until = async (most: number) => {
    while (waiting > most) {
      await thread.next();
      waiting -= 1;
    }
  };
  try {
    // The directory is there, and may be written to.
    await thread.next();
    try {
      for await (const chunk of source) {
        thread.give(chunk);
        waiting += 1;
        await until(MAX_WAITING - 1);
      }
    } catch (error) {
      thread.give('broken');
      throw error;
    }
    await until(0);
    thread.give('end');
    if ((await thread.next())?.type !== 'done') throw endedEarly();
  } finally {
    await thread.ended;
  }
}

type Thread = Disposable & {
  /** The next thing it says; undefined when it has ended. Throws what it failed with. */
  readonly next: () => Promise<Message | undefined>;
  readonly give: (given: Given) => void;
  /** Tells it that a chunk was taken. */
  readonly take: () => void;
  /** Settles when it has ended. */
  readonly ended: Promise<unknown>;
};

/**
 * Starts a thread for a job. It is never ended from outside, which could happen while it loads a native library and
 * take the engine with it: it is asked to stop, and does between two pieces of work.
 */
function startThread(job: Job, signal: AbortSignal): Thread {
  if (signal.aborted) throw cancelled();
  const shared = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const workerData: ThreadData = { job, shared };
  // Descriptors that openat2 gave are not Node's: it would warn of each that is closed.
  const worker = new Worker(archiveWorkerUrl(), {
    workerData,
    name: 'berth archive',
    trackUnmanagedFds: false,
  });
  const waiting: Message[] = [];
  let failure: unknown;
  let over = false;
  let wake = () => {};

  const stop = () => {
    Atomics.store(shared, CANCELLED, 1);
    Atomics.notify(shared, TAKEN);
    // One that waits for an archive's next bytes looks when it is given something.
    if (job.kind === 'extract' && !over) worker.postMessage('broken' satisfies Given);
    wake();
  };
  signal.addEventListener('abort', stop, { once: true });
  worker.on('message', (message: Message) => {
    waiting.push(message);
    wake();
  });
  worker.on('error', (error) => {
    failure = error;
  });
  const ended = once(worker, 'exit').catch(() => undefined);
  void ended.then(() => {
    over = true;
    signal.removeEventListener('abort', stop);
    wake();
  });

  return {
    ended,
    give: (given) => worker.postMessage(given),
    take: () => {
      Atomics.add(shared, TAKEN, 1);
      Atomics.notify(shared, TAKEN);
    },
    next: async () => {
      for (;;) {
        if (signal.aborted) throw cancelled();
        const message = waiting.shift();
        if (message?.type === 'refused')
          throw new BerthError(message.code, message.message, { hint: message.hint });
        if (message?.type === 'failed')
          throw Object.assign(new Error(message.message), { code: message.errno });
        if (message !== undefined) return message;
        if (over) {
          if (failure !== undefined) throw failure;
          return undefined;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    [Symbol.dispose]: () => {
      if (!over) stop();
    },
  };
}

async function* chunksOf(thread: Thread): AsyncGenerator<Uint8Array> {
  using _ = thread;
  for (;;) {
    const message = await thread.next();
    if (message?.type === 'done') return;
    if (message === undefined) throw endedEarly();
    if (message.type !== 'chunk') continue;
    yield message.bytes;
    thread.take();
  }
}

function statOf(message: Message | undefined): PathStat {
  if (message?.type !== 'stat') throw endedEarly();
  return message.stat;
}

const cancelled = () => new BerthError('cancelled', 'the client went away');

const endedEarly = () => new Error('the thread that works on files ended early');

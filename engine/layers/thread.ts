import type { Worker } from 'node:worker_threads';
import { BerthError } from '../api/errors.ts';
import { createSlots } from './slots.ts';
import { giveThreadBack, takeThread } from './spare-thread.ts';
import type { ApplyRequest, IncomingBlob, LayerLimits } from './types.ts';
import {
  type LayerInput,
  type LayerJob,
  type LayerMessage,
  PIECE_BYTES,
  PIECES,
  type PromisedBlob,
} from './worker-protocol.ts';

/**
 * Takes a blob in, in a thread of its own, which may have the next one then. Gives the size of its files. When the signal fires, the thread is asked to
 * stop, and does between two pieces of the archive: ended from outside while it loads a native library, it would
 * take the engine with it.
 */
export async function takeInThread(
  request: ApplyRequest,
  options: { readonly target: string; readonly unpack: boolean; readonly limits: LayerLimits },
): Promise<number> {
  const { blob, diffId, signal, onProgress } = request;
  if (signal.aborted) throw cancelled();
  const cancel = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const promised = typeof blob === 'string' ? blob : promiseOf(blob);
  const job: LayerJob = { ...options, blob: promised, diffId, cancel };
  const worker: Worker = takeThread();
  worker.postMessage(job satisfies LayerInput);
  const pieces = createPieces();
  /** Fires when nothing more is to be sent: the thread has said its last, or shall. */
  const over = new AbortController();
  const stop = () => {
    Atomics.store(cancel, 0, 1);
    over.abort();
    // It may be waiting for a piece that will never come.
    worker.postMessage('end' satisfies LayerInput);
  };
  signal.addEventListener('abort', stop, { once: true });
  let broken: { readonly error: unknown } | undefined;
  /** Takes the listeners of this layer off the thread. */
  using listening = new DisposableStack();
  const listen = <T>(event: string, listener: (of: T) => void) => {
    worker.on(event, listener);
    listening.defer(() => void worker.off(event, listener));
  };
  let outcome: LayerMessage | undefined;
  const ended = new Promise<number>((resolve, reject) => {
    const settle = () => {
      over.abort();
      if (signal.aborted) reject(cancelled());
      else if (broken !== undefined) reject(broken.error);
      else if (outcome?.type === 'done') resolve(outcome.sizeBytes);
      else reject(errorOf(outcome));
    };
    listen('message', (message: LayerMessage) => {
      if (message.type === 'progress') onProgress?.(message.bytes);
      else if (message.type === 'taken') pieces.giveBack(message.piece);
      else {
        outcome = message;
        over.abort();
        if (message.type === 'done') settle();
      }
    });
    listen('error', (error) => {
      over.abort();
      reject(error);
    });
    // Otherwise not before it has ended: until then it may still write to the directory.
    listen('exit', settle);
  });
  const send = (piece: ArrayBuffer, length: number) =>
    worker.postMessage({ piece, length } satisfies LayerInput, [piece]);
  const sendAll = async (incoming: IncomingBlob) => {
    const stream = incoming.open(AbortSignal.any([signal, over.signal]));
    try {
      await sendPieces(stream, { send, take: () => pieces.take(over.signal), onProgress });
      worker.postMessage('end' satisfies LayerInput);
    } catch (error) {
      if (over.signal.aborted) return;
      broken = { error };
      stop();
    }
  };
  const sending = typeof blob === 'string' ? Promise.resolve() : sendAll(blob);
  try {
    const [sizeBytes] = await Promise.all([ended, sending]);
    return sizeBytes;
  } finally {
    signal.removeEventListener('abort', stop);
    await sending;
    // All that was sent to it is before what the next layer sends.
    giveThreadBack(worker, { stays: outcome?.type === 'done' && outcome.stays });
  }
}

/** Sends a stream in pieces of equal size, as fast as they come back. */
async function sendPieces(
  stream: AsyncIterable<Buffer>,
  options: {
    readonly take: () => Promise<ArrayBuffer>;
    readonly send: (piece: ArrayBuffer, length: number) => void;
    readonly onProgress: ((bytes: number) => void) | undefined;
  },
): Promise<void> {
  let piece: Uint8Array<ArrayBuffer> | undefined;
  let filled = 0;
  let total = 0;
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; ) {
      piece ??= new Uint8Array(await options.take());
      const size = Math.min(chunk.length - at, piece.length - filled);
      piece.set(chunk.subarray(at, at + size), filled);
      at += size;
      filled += size;
      if (filled < piece.length) continue;
      options.send(piece.buffer, filled);
      piece = undefined;
      filled = 0;
    }
    total += chunk.length;
    options.onProgress?.(total);
  }
  if (piece !== undefined) options.send(piece.buffer, filled);
}

/** The memory of a few pieces, used again and again: what is thrown away stays for long where the collector doesn't see it. */
function createPieces() {
  const room = createSlots(PIECES);
  const free: ArrayBuffer[] = [];
  const places: Disposable[] = [];
  return {
    /** Waits until one is free. Throws `cancelled` when the signal fires. */
    take: async (signal: AbortSignal) => {
      places.push(await room.take(signal));
      return free.pop() ?? new ArrayBuffer(PIECE_BYTES);
    },
    giveBack: (piece: ArrayBuffer) => {
      free.push(piece);
      places.pop()?.[Symbol.dispose]();
    },
  };
}

function promiseOf({ path, digest, sizeBytes, what }: IncomingBlob): PromisedBlob {
  return { path, digest, sizeBytes, what };
}

function cancelled(): BerthError {
  return new BerthError('cancelled', 'the pull was cancelled');
}

function errorOf(outcome: LayerMessage | undefined): Error {
  if (outcome?.type === 'refused')
    return new BerthError(outcome.code, outcome.message, { hint: outcome.hint });
  if (outcome?.type === 'failed') return Object.assign(new Error(outcome.message), { code: outcome.errno });
  return new Error('the thread that takes layers in ended early');
}

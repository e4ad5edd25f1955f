import { mkdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { BerthError } from '../api/errors.ts';
import { fileBlob, incomingBlob } from './blob.ts';
import { readLayer } from './decompress.ts';
import { openIndexing } from './erofs/keep.ts';
import { TREE } from './paths.ts';
import { openUnpacking } from './unpack.ts';
import type { LayerInput, LayerJob, LayerMessage, PromisedBlob } from './worker-protocol.ts';

/**
 * Takes one layer in, in a thread of its own: system calls made in a row are much faster than through promises, and
 * here they hold nobody up.
 */

const PROGRESS_MS = 100;

function say(message: LayerMessage): void {
  parentPort?.postMessage(message);
}

/** The pieces that the engine sends; each is said to be taken when the next one is asked for. */
async function* sentPieces(): AsyncGenerator<Buffer> {
  const waiting: LayerInput[] = [];
  let wake = () => {};
  const take = (piece: LayerInput) => {
    waiting.push(piece);
    wake();
  };
  parentPort?.on('message', take);
  try {
    for (;;) {
      const piece = waiting.shift();
      if (piece === 'end') return;
      if (piece === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      yield Buffer.from(piece.piece, 0, piece.length);
      parentPort?.postMessage({ type: 'taken', piece: piece.piece } satisfies LayerMessage, [piece.piece]);
    }
  } finally {
    parentPort?.off('message', take);
  }
}

async function takeIn(job: LayerJob): Promise<number> {
  const { blob, target, unpack, diffId, limits } = job;
  mkdirSync(join(target, TREE), { mode: 0o755 });
  using intake = unpack
    ? openUnpacking(join(target, TREE), limits)
    : openIndexing(target, { diffId, limits });
  await (typeof blob === 'string' ? takeFile(blob, job, intake.push) : takeSent(blob, job, intake.push));
  return intake.finish().sizeBytes;
}

type Push = (chunk: Buffer) => void;

async function takeFile(path: string, job: LayerJob, push: Push): Promise<void> {
  const file = fileBlob(path);
  let lastMs = 0;
  const onChunk = (chunk: Buffer) => {
    stopIfCancelled(job);
    push(chunk);
    const now = performance.now();
    if (now - lastMs < PROGRESS_MS) return;
    lastMs = now;
    say({ type: 'progress', bytes: file.consumed() });
  };
  await readLayer({ ...job, blob: file.pieces(), consumed: file.consumed, onChunk });
}

/** Nothing is made of a blob that is not what its digest says, and then that is told, whatever else was wrong. */
async function takeSent(promised: PromisedBlob, job: LayerJob, push: Push): Promise<void> {
  using incoming = incomingBlob(promised, sentPieces());
  const onChunk = (chunk: Buffer) => {
    stopIfCancelled(job);
    push(chunk);
  };
  try {
    await readLayer({ ...job, blob: incoming.pieces(), consumed: incoming.consumed, onChunk });
  } catch (error) {
    if (error instanceof BerthError && error.code !== 'cancelled') await incoming.verify();
    throw error;
  }
  await incoming.verify();
}

function stopIfCancelled({ cancel }: LayerJob): void {
  if (Atomics.load(cancel, 0) !== 0) throw new BerthError('cancelled', 'the pull was cancelled');
}

function failure(error: unknown): LayerMessage {
  if (error instanceof BerthError) {
    return { type: 'refused', code: error.code, message: error.message, hint: error.hint };
  }
  const { code, message } = error as NodeJS.ErrnoException;
  return { type: 'failed', errno: code, message };
}

// Linux has priorities by thread: the engine answers while layers are taken in (setpriority(2)).
setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
takeIn(workerData as LayerJob)
  .then(
    (sizeBytes) => say({ type: 'done', sizeBytes }),
    (error) => say(failure(error)),
  )
  // It would wait for more messages.
  .finally(() => parentPort?.close());

import { mkdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { parentPort } from 'node:worker_threads';
import { BerthError } from '../api/errors.ts';
import { fileBlob, incomingBlob } from './blob.ts';
import { readLayer } from './decompress.ts';
import { openIndexing } from './erofs/keep.ts';
import { TREE } from './paths.ts';
import { openUnpacking } from './unpack.ts';
import type { LayerInput, LayerJob, LayerMessage, LayerPiece } from './worker-protocol.ts';

/**
 * Takes layers in, in a thread of its own: system calls made in a row are much faster than through promises, and
 * here they hold nobody up.
 */

const PROGRESS_MS = 100;

function say(message: LayerMessage): void {
  parentPort?.postMessage(message);
}

const waiting: LayerInput[] = [];
let wake = () => {};
// For good: what comes while nobody listens is lost.
parentPort?.on('message', (input: LayerInput) => {
  waiting.push(input);
  wake();
});

/** What the engine sends next. */
async function nextInput(): Promise<LayerInput> {
  for (;;) {
    const input = waiting.shift();
    if (input !== undefined) return input;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

/** The pieces that the engine sends; each is said to be taken when the next one is asked for. */
async function* sentPieces(): AsyncGenerator<Buffer> {
  for (let input = await nextInput(); isPiece(input); input = await nextInput()) {
    yield Buffer.from(input.piece, 0, input.length);
    parentPort?.postMessage({ type: 'taken', piece: input.piece } satisfies LayerMessage, [input.piece]);
  }
}

const isJob = (input: LayerInput): input is LayerJob => typeof input === 'object' && 'diffId' in input;
const isPiece = (input: LayerInput): input is LayerPiece => typeof input === 'object' && 'piece' in input;

async function takeIn(job: LayerJob): Promise<number> {
  const { blob, target, unpack, diffId, limits } = job;
  mkdirSync(join(target, TREE), { mode: 0o755 });
  using intake = unpack
    ? openUnpacking(join(target, TREE), limits)
    : openIndexing(target, { diffId, limits });
  if (typeof blob === 'string') {
    await takeFile(blob, job, intake.push);
    return intake.finish().sizeBytes;
  }
  using incoming = incomingBlob(blob, sentPieces());
  await takeSent(incoming, job, intake.push);
  // The blob and the layer go to the disk at the same time.
  const synced = incoming.sync();
  synced.catch(() => undefined);
  const { sizeBytes } = intake.finish();
  await synced;
  return sizeBytes;
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
async function takeSent(incoming: ReturnType<typeof incomingBlob>, job: LayerJob, push: Push): Promise<void> {
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

/** A layer that leaves more makes the thread end: a new one takes less memory, and large layers seldom come alone. */
const MAX_GROWTH_BYTES = 2.5 * 1024 * 1024;
const heapBytes = () => getHeapStatistics().total_heap_size;

/** Takes layers in, one after another, until it is to end. Ends after one that failed, and after one that was large. */
async function serve(): Promise<void> {
  const atStart = heapBytes();
  for (let stays = true; stays; ) {
    const input = await nextInput();
    if (input === 'quit') return;
    // What was sent of the layer before, after it had all that it needed.
    if (!isJob(input)) continue;
    const sizeBytes = await takeIn(input);
    stays = heapBytes() - atStart <= MAX_GROWTH_BYTES;
    say({ type: 'done', sizeBytes, stays });
  }
}

// Linux has priorities by thread: the engine answers while layers are taken in (setpriority(2)).
setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
serve()
  .catch((error) => say(failure(error)))
  // It would wait for more messages.
  .finally(() => parentPort?.close());

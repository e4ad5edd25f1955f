import { mkdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { BerthError } from '../api/errors.ts';
import { fileBlob, incomingBlob } from './blob.ts';
import { decompressed, decompressedAtOnce, readLayer } from './decompress.ts';
import { openIndexing } from './erofs/keep.ts';
import { TREE } from './paths.ts';
import { openUnpacking } from './unpack.ts';
import {
  type LayerInput,
  type LayerJob,
  type LayerMessage,
  type LayerPiece,
  PIECE_BYTES,
} from './worker-protocol.ts';

/**
 * Takes one layer in, in a thread of its own: system calls made in a row are much faster than through promises, and
 * here they hold nobody up.
 */

const PROGRESS_MS = 100;
/** A blob of at most this is decompressed when all of it has come. */
const SHORT_BYTES = 6 * 1024 * 1024;

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
  await takeSent(incoming, { job, sizeBytes: blob.sizeBytes, push: intake.push });
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
  await readLayer({ ...job, archive: decompressed(file.pieces()), consumed: file.consumed, onChunk });
}

/** Nothing is made of a blob that is not what its digest says, and then that is told, whatever else was wrong. */
async function takeSent(
  incoming: ReturnType<typeof incomingBlob>,
  { job, sizeBytes, push }: { readonly job: LayerJob; readonly sizeBytes: number; readonly push: Push },
): Promise<void> {
  const onChunk = (chunk: Buffer) => {
    stopIfCancelled(job);
    push(chunk);
  };
  try {
    const archive =
      sizeBytes > SHORT_BYTES ? decompressed(incoming.pieces()) : shortArchive(incoming.pieces(), sizeBytes);
    await readLayer({ ...job, archive, consumed: incoming.consumed, onChunk });
  } catch (error) {
    if (error instanceof BerthError && error.code !== 'cancelled') await incoming.verify();
    throw error;
  }
  await incoming.verify();
}

/** The archive of a blob that is gathered first. */
async function* shortArchive(pieces: AsyncIterable<Buffer>, sizeBytes: number): AsyncGenerator<Buffer> {
  const blob = Buffer.allocUnsafe(sizeBytes);
  let filled = 0;
  for await (const piece of pieces) filled += piece.copy(blob, filled);
  const whole = blob.subarray(0, filled);
  const archive = decompressedAtOnce(whole);
  if (archive === undefined) return yield* decompressed(one(whole));
  for (let at = 0; at < archive.length; at += PIECE_BYTES) yield archive.subarray(at, at + PIECE_BYTES);
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
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
nextInput()
  .then(async (work) => {
    if (work === 'end' || isPiece(work)) return;
    say({ type: 'done', sizeBytes: await takeIn(work) });
  })
  .catch((error) => say(failure(error)))
  // It would wait for more messages.
  .finally(() => parentPort?.close());

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { BerthError } from '../api/errors.ts';
import { readLayer } from './decompress.ts';
import { openIndexing } from './erofs/keep.ts';
import { TREE } from './paths.ts';
import { openUnpacking } from './unpack.ts';
import type { LayerJob, LayerMessage } from './worker-protocol.ts';

/**
 * Takes one layer in, in a thread of its own: system calls made in a row are much faster than through promises, and
 * here they hold nobody up.
 */

const PROGRESS_MS = 100;

function say(message: LayerMessage): void {
  parentPort?.postMessage(message);
}

async function takeIn(job: LayerJob): Promise<number> {
  const { blob, target, unpack, diffId, limits, cancel } = job;
  mkdirSync(join(target, TREE), { mode: 0o755 });
  using intake = unpack
    ? openUnpacking(join(target, TREE), limits)
    : openIndexing(target, { diffId, limits });
  let lastMs = 0;
  await readLayer({
    blob,
    diffId,
    limits,
    onChunk: (chunk, consumed) => {
      if (Atomics.load(cancel, 0) !== 0) throw new BerthError('cancelled', 'the pull was cancelled');
      intake.push(chunk);
      const now = performance.now();
      if (now - lastMs < PROGRESS_MS) return;
      lastMs = now;
      say({ type: 'progress', bytes: consumed });
    },
  });
  return intake.finish().sizeBytes;
}

function failure(error: unknown): LayerMessage {
  if (error instanceof BerthError) {
    return { type: 'refused', code: error.code, message: error.message, hint: error.hint };
  }
  const { code, message } = error as NodeJS.ErrnoException;
  return { type: 'failed', errno: code, message };
}

takeIn(workerData as LayerJob).then(
  (sizeBytes) => say({ type: 'done', sizeBytes }),
  (error) => say(failure(error)),
);

import { closeSync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { BerthError } from '../api/errors.ts';
import { syncFileSystem } from '../host/syscalls.ts';
import { createTarReader } from '../tar/reader.ts';
import { readLayer } from './decompress.ts';
import { createUnpacker } from './unpack.ts';
import type { UnpackJob, UnpackMessage } from './unpack-protocol.ts';

/**
 * Unpacks one layer, in a thread of its own: system calls made in a row are much faster than through promises, and
 * here they hold nobody up.
 */

const PROGRESS_MS = 100;

function say(message: UnpackMessage): void {
  parentPort?.postMessage(message);
}

async function unpack({
  blob,
  target,
  diffId,
  limits,
  cancel,
}: UnpackJob): Promise<{ readonly sizeBytes: number }> {
  const unpacker = createUnpacker(target, limits);
  const reader = createTarReader(unpacker);
  let lastMs = 0;
  try {
    await readLayer({
      blob,
      diffId,
      limits,
      onChunk: (chunk, consumed) => {
        if (Atomics.load(cancel, 0) !== 0) throw new BerthError('cancelled', 'the pull was cancelled');
        reader.push(chunk);
        const now = performance.now();
        if (now - lastMs < PROGRESS_MS) return;
        lastMs = now;
        say({ type: 'progress', bytes: consumed });
      },
    });
    reader.finish();
  } finally {
    unpacker.abandon();
  }
  const result = unpacker.finish();
  // Everything at once: an fsync for each of tens of thousands of files takes minutes.
  const descriptor = openSync(target, 'r');
  try {
    syncFileSystem(descriptor, target);
  } finally {
    closeSync(descriptor);
  }
  return result;
}

function failure(error: unknown): UnpackMessage {
  if (error instanceof BerthError) {
    return { type: 'refused', code: error.code, message: error.message, hint: error.hint };
  }
  const { code, message } = error as NodeJS.ErrnoException;
  return { type: 'failed', errno: code, message };
}

try {
  const { sizeBytes } = await unpack(workerData as UnpackJob);
  say({ type: 'done', sizeBytes });
} catch (error) {
  say(failure(error));
}

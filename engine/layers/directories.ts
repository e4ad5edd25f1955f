import { mkdirSync, readdirSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BerthError, isErrno } from '../api/errors.ts';
import { createSlots } from './slots.ts';
import { type ApplyRequest, defaultLayerLimits, type LayerLimits, type LayerStore } from './types.ts';
import { type UnpackJob, type UnpackMessage, unpackWorkerUrl } from './unpack-protocol.ts';

/** More at a time only take turns on the processors and the disk. */
const MAX_UNPACKING = 4;
const LAYER_NAME = /^[1-9]\d*$/;

/**
 * Layers as directories, `<id>/fs` below `root`: for kernels and modes that can't mount EROFS. What is being
 * unpacked is in `new-…`, what is being removed in `gone-…`, so that a number is always a whole layer.
 */
export function openDirectoryLayers(root: string, limits: LayerLimits = defaultLayerLimits): LayerStore {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  let lastId = readdirSync(root)
    .map((name) => Number(/^(?:gone-)?(\d+)$/.exec(name)?.[1] ?? 0))
    .reduce((most, id) => Math.max(most, id), 0);
  let count = 0;
  const slots = createSlots(Math.min(MAX_UNPACKING, availableParallelism()));
  const remove = async (path: string) => await rm(path, { recursive: true, force: true, maxRetries: 3 });

  return {
    apply: async (request) => {
      using _ = await slots.take(request.signal);
      count += 1;
      const begun = join(root, `new-${count}`);
      try {
        await remove(begun);
        await mkdir(join(begun, 'fs'), { recursive: true, mode: 0o755 });
        const sizeBytes = await unpackInThread(request, join(begun, 'fs'), limits);
        lastId += 1;
        const id = lastId;
        await rename(begun, join(root, String(id)));
        await syncDirectory(root);
        return { id, sizeBytes };
      } catch (error) {
        await remove(begun);
        throw error;
      }
    },
    directories: async (ids) => {
      const paths = ids.map((id) => join(root, String(id), 'fs'));
      for (const path of paths) {
        const found = await stat(path).catch((error: unknown) => error);
        if (!isErrno(found, 'ENOENT')) continue;
        throw new BerthError('internal', `the layer in ${path} is lost`, {
          hint: 'remove the image and pull it again',
        });
      }
      return paths;
    },
    remove: async (id) => {
      const gone = join(root, `gone-${id}`);
      try {
        await rename(join(root, String(id)), gone);
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error;
      }
      await remove(gone);
    },
    recover: async (keep) => {
      for (const name of await readdir(root)) {
        if (!LAYER_NAME.test(name) || !keep.has(Number(name))) await remove(join(root, name));
      }
    },
  };
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

/**
 * Unpacks a blob in a thread of its own. Gives the size of its files. When the signal fires, the thread is asked to
 * stop, and does between two pieces of the archive: ended from outside while it loads a native library, it would
 * take the engine with it.
 */
async function unpackInThread(request: ApplyRequest, target: string, limits: LayerLimits): Promise<number> {
  const { blob, diffId, signal, onProgress } = request;
  if (signal.aborted) throw cancelled();
  const cancel = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const job: UnpackJob = { blob, target, diffId, limits, cancel };
  const worker = new Worker(unpackWorkerUrl(), { workerData: job, name: 'berth unpack' });
  const stop = () => Atomics.store(cancel, 0, 1);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      let outcome: UnpackMessage | undefined;
      worker.on('message', (message: UnpackMessage) => {
        if (message.type === 'progress') onProgress?.(message.bytes);
        else outcome = message;
      });
      worker.once('error', reject);
      // Not before it has ended: until then it may still write to the directory.
      worker.once('exit', () => {
        if (signal.aborted) return reject(cancelled());
        if (outcome?.type === 'done') return resolve(outcome.sizeBytes);
        reject(outcome === undefined ? new Error('the unpacking thread ended early') : errorOf(outcome));
      });
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function cancelled(): BerthError {
  return new BerthError('cancelled', 'the pull was cancelled');
}

function errorOf(outcome: UnpackMessage): Error {
  if (outcome.type === 'refused')
    return new BerthError(outcome.code, outcome.message, { hint: outcome.hint });
  if (outcome.type === 'failed') return Object.assign(new Error(outcome.message), { code: outcome.errno });
  return new Error('the unpacking thread ended early');
}

import { Worker } from 'node:worker_threads';
import { BerthError } from '../api/errors.ts';
import type { ApplyRequest, LayerLimits } from './types.ts';
import { type LayerJob, type LayerMessage, layerWorkerUrl } from './worker-protocol.ts';

/**
 * Takes a blob in, in a thread of its own. Gives the size of its files. When the signal fires, the thread is asked to
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
  const job: LayerJob = { ...options, blob, diffId, cancel };
  const worker = new Worker(layerWorkerUrl(), { workerData: job, name: 'berth layer' });
  const stop = () => Atomics.store(cancel, 0, 1);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      let outcome: LayerMessage | undefined;
      worker.on('message', (message: LayerMessage) => {
        if (message.type === 'progress') onProgress?.(message.bytes);
        else outcome = message;
      });
      worker.once('error', reject);
      // Not before it has ended: until then it may still write to the directory.
      worker.once('exit', () => {
        if (signal.aborted) return reject(cancelled());
        if (outcome?.type === 'done') return resolve(outcome.sizeBytes);
        reject(errorOf(outcome));
      });
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
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

import { Worker } from 'node:worker_threads';
import { type LayerInput, layerWorkerUrl } from './worker-protocol.ts';

/** How long a thread waits for a layer before it ends, in milliseconds. */
const SPARE_MS = 30_000;

/**
 * Young objects are collected often, since the large pieces of archives that hang on them are memory that the
 * collector doesn't see. What an index needs is in the old generation; it is bounded by the limits of a layer.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 4 };

/** How many take a layer in. */
let atWork = 0;
let spare: { readonly worker: Worker; readonly timer: NodeJS.Timeout } | undefined;

/** A thread that takes one layer in, and ends. Ready where one was prepared: it takes 30 ms to start. */
export function takeThread(): Worker {
  const worker = spare?.worker ?? startThread();
  clearTimeout(spare?.timer);
  spare = undefined;
  worker.ref();
  atWork += 1;
  worker.once('exit', () => {
    atWork -= 1;
    // Where one layer came, another will; while others come, it would be one thread's memory more.
    if (atWork === 0) prepareThread();
  });
  return worker;
}

/** Has a thread ready for a layer that is about to come; one that does not come is not waited for long. */
export function prepareThread(): void {
  if (spare !== undefined) {
    spare.timer.refresh();
    return;
  }
  const worker = startThread();
  const timer = setTimeout(() => {
    spare = undefined;
    worker.postMessage('end' satisfies LayerInput);
  }, SPARE_MS);
  // Neither keeps a process from its end.
  timer.unref();
  worker.unref();
  // One that could not start is nobody's: whoever needs a thread starts one, and is told.
  worker.once('error', () => {
    if (spare?.worker !== worker) return;
    clearTimeout(timer);
    spare = undefined;
  });
  spare = { worker, timer };
}

function startThread(): Worker {
  return new Worker(layerWorkerUrl(), { name: 'berth layer', resourceLimits });
}

import { Worker } from 'node:worker_threads';
import { type LayerInput, layerWorkerUrl } from './worker-protocol.ts';

/** How long a thread waits for a layer before it ends, in milliseconds. */
const SPARE_MS = 30_000;

/** How many take a layer in. */
let atWork = 0;
let spare: { readonly worker: Worker; readonly timer: NodeJS.Timeout } | undefined;

/**
 * A thread that takes a layer in; one that waits for it where there is one, since it takes 30 ms to start. It is
 * given back by `keepThread`, or ends.
 */
export function takeThread(): Worker {
  const worker = spare?.worker ?? startThread();
  clearTimeout(spare?.timer);
  spare = undefined;
  worker.ref();
  atWork += 1;
  return worker;
}

/** Has a thread ready for a layer that is about to come; one that does not come is not waited for long. */
export function prepareThread(): void {
  if (spare === undefined) keep(startThread());
  else spare.timer.refresh();
}

/**
 * Takes a thread back. One that stays has the next layer: its code is compiled, and what it reads with is made. Of
 * several one is enough, since where one layer came another will, and each is memory.
 */
export function giveThreadBack(worker: Worker, { stays }: { readonly stays: boolean }): void {
  atWork -= 1;
  // A thread that has ended has no id any more.
  if (!stays || worker.threadId === -1) {
    // Not while others are at work: it would be one thread's memory more.
    if (atWork === 0) prepareThread();
  } else if (spare === undefined) keep(worker);
  else endThread(worker);
}

function keep(worker: Worker): void {
  const timer = setTimeout(() => {
    spare = undefined;
    endThread(worker);
  }, SPARE_MS);
  // Neither keeps a process from its end.
  timer.unref();
  worker.unref();
  spare = { worker, timer };
}

function endThread(worker: Worker): void {
  worker.postMessage('quit' satisfies LayerInput);
}

function startThread(): Worker {
  const worker = new Worker(layerWorkerUrl(), { name: 'berth layer' });
  // One that could not start, or died while it waited, is nobody's: whoever needs a thread starts one, and is told.
  worker.on('error', () => {});
  worker.once('exit', () => {
    if (spare?.worker !== worker) return;
    clearTimeout(spare.timer);
    spare = undefined;
  });
  return worker;
}

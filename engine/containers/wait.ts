import { type ContainerRecord, type Ending, isActive, lastEnding } from './record.ts';
import { onceSettled } from './settled.ts';
import type { WaitCondition } from './types.ts';

/**
 * Waits as docker does. `not-running` is so at once for one that doesn't run; `next-exit` is the end of the run that
 * goes on or of the next one; a removal ends all three. Throws when `signal` aborts.
 */
export async function waitFor(
  record: ContainerRecord,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<{ readonly StatusCode: number }> {
  if (condition === 'not-running' && !isActive(record.life)) {
    const { life, queue } = record;
    // Its end may have been written down just now: who hears of it finds what the run held let go of.
    if (life.status === 'exited') await abortable(queue, signal);
    return { StatusCode: life.status === 'created' ? life.exitCode : codeOf(lastEnding(life)) };
  }
  const settled = condition === 'removed' ? record.removed.promise : record.exit.promise;
  return { StatusCode: codeOf(await abortable(settled, signal)) };
}

const codeOf = (ending: Ending | undefined) => ending?.exitCode ?? 0;

async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const outcome = Promise.withResolvers<void>();
  const abort = () => outcome.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  using _settled = onceSettled(promise, outcome.resolve);
  try {
    await outcome.promise;
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

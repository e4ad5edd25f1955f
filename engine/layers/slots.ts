import { BerthError } from '../api/errors.ts';

/** A number of places; whoever finds none free waits, in order. */
export type Slots = {
  /** Waits for a place, which is free again when it is disposed of. Throws `cancelled` when the signal fires. */
  readonly take: (signal: AbortSignal) => Promise<Disposable>;
};

export function createSlots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();
  const wakeNext = () => {
    const [next] = waiting;
    next?.();
  };
  const release = () => {
    free += 1;
    wakeNext();
  };
  return {
    take: async (signal) => {
      while (free === 0) {
        if (signal.aborted) break;
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            signal.removeEventListener('abort', wake);
            resolve();
          };
          waiting.add(wake);
          signal.addEventListener('abort', wake, { once: true });
        });
      }
      if (signal.aborted) {
        // It may have been woken for a place that it no longer wants.
        if (free > 0) wakeNext();
        throw new BerthError('cancelled', 'the pull was cancelled');
      }
      free -= 1;
      return { [Symbol.dispose]: release };
    },
  };
}

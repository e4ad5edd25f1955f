import { BerthError } from '../api/errors.ts';

/** Work that several want done at the same time and that is done once. */
export type Sharing<Event> = {
  /**
   * Does the work named by `key`, or joins who is doing it. The work is cancelled when all who wait for it have
   * cancelled. Where it fails for somebody else's reasons (their credentials, their registry), whoever joined does
   * it anew by his own means.
   */
  readonly join: (key: string, wish: Wish<Event>) => Promise<void>;
};

export type Wish<Event> = {
  readonly signal: AbortSignal;
  readonly onEvent: (event: Event) => void;
  /** Whether there is nothing to do, or no longer. */
  readonly isDone: () => boolean;
  readonly work: (signal: AbortSignal, emit: (event: Event) => void) => Promise<void>;
};

type Task<Event> = {
  readonly result: Promise<void>;
  readonly controller: AbortController;
  readonly listeners: Set<(event: Event) => void>;
};

export function createSharing<Event>(): Sharing<Event> {
  const tasks = new Map<string, Task<Event>>();

  const begin = (key: string, wish: Wish<Event>): Task<Event> => {
    const controller = new AbortController();
    const listeners = new Set<(event: Event) => void>();
    const emit = (event: Event) => {
      for (const listener of listeners) listener(event);
    };
    const result = wish.work(controller.signal, emit).finally(() => {
      if (tasks.get(key) === task) tasks.delete(key);
    });
    // Whoever waits hears of it; where nobody is left, nobody needs to.
    result.catch(() => {});
    const task: Task<Event> = { result, controller, listeners };
    tasks.set(key, task);
    return task;
  };

  const wait = async (key: string, task: Task<Event>, { signal, onEvent }: Wish<Event>): Promise<void> => {
    const listener = (event: Event) => onEvent(event);
    task.listeners.add(listener);
    const { promise: left, resolve: leave } = Promise.withResolvers<'left'>();
    const cancel = () => leave('left');
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      const outcome = await Promise.race([task.result, left]);
      if (outcome !== 'left') return;
      task.listeners.delete(listener);
      if (task.listeners.size === 0) {
        // The last one out waits until what was begun is cleaned up. Nobody joins work that is being cancelled.
        if (tasks.get(key) === task) tasks.delete(key);
        task.controller.abort();
        await task.result.catch(() => {});
      }
      throw new BerthError('cancelled', 'the pull was cancelled');
    } finally {
      signal.removeEventListener('abort', cancel);
      task.listeners.delete(listener);
    }
  };

  return {
    join: async (key, wish) => {
      while (!wish.isDone()) {
        const running = tasks.get(key);
        if (running === undefined) return await wait(key, begin(key, wish), wish);
        try {
          return await wait(key, running, wish);
        } catch (error) {
          if (wish.signal.aborted) throw error;
        }
      }
    },
  };
}

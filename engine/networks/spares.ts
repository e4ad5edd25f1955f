import { randomBytes } from 'node:crypto';
import { dropSpare, keepSpare, makeSpare, type Spare } from './namespaces.ts';

/**
 * Network namespaces with a link that wait for containers: what the kernel takes longest for is done by the time that
 * one starts. Nothing but this process holds them, so that nothing is left of them when it ends, however that is.
 */
export type Spares = {
  /** Has the file at `path` keep one, and gives the name of its link's end here; undefined where none is ready. */
  take(path: string): string | undefined;
  /** Lets them go, and makes no more. */
  end(): void;
};

/** What a handful of containers that start together take; a crowd is not held up for more. */
const READY = 8;
/** Between making two of them: the thread is the engine's, and one takes it a millisecond or two. */
const PAUSE_MS = 20;
/** An engine where nothing starts any more holds none. */
const KEEP_MS = 60_000;

/** Opens the pool of an engine. It is empty until one was asked for. */
export function openSpares(warn: (message: string) => void): Spares {
  const ready: Spare[] = [];
  let filling: NodeJS.Timeout | undefined;
  let keeping: NodeJS.Timeout | undefined;
  let over = false;

  function drop(): void {
    for (const spare of ready.splice(0)) dropSpare(spare);
  }

  function fill(): void {
    if (over || filling !== undefined || ready.length >= READY) return;
    filling = setTimeout(() => {
      filling = undefined;
      try {
        ready.push(makeSpare(interfaceName()));
        fill();
      } catch (error) {
        // A start makes its own, and says what it can't.
        warn(`a network namespace could not be made ahead of time: ${String(error)}`);
      }
    }, PAUSE_MS).unref();
  }

  return {
    take(path) {
      clearTimeout(keeping);
      keeping = setTimeout(drop, KEEP_MS).unref();
      const spare = ready.shift();
      fill();
      if (spare === undefined) return undefined;
      keepSpare(spare, path);
      return spare.hostInterface;
    },
    end() {
      over = true;
      clearTimeout(filling);
      clearTimeout(keeping);
      drop();
    },
  };
}

/**
 * A name for the host's end of a link, at most 15 bytes (IFNAMSIZ), which no other has. New for each run of a
 * container: the kernel takes a namespace's links away some time after the namespace was let go.
 */
export function interfaceName(): string {
  return `bv${randomBytes(6).toString('hex')}`;
}

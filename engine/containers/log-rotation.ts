import { type FSWatcher, statSync } from 'node:fs';
import { inodeOf, rotateLog } from '../runtime/log-rotate.ts';
import { watchName } from '../runtime/watch.ts';
import { type Context, pathsOf } from './context.ts';
import { logPlan } from './log-config.ts';
import type { ContainerRecord } from './record.ts';

/** Keeps the logs of running containers within the sizes that they were given. */
export type LogRotation = {
  /** To be told of each container that runs. One whose log may grow as it likes costs nothing. */
  begin(record: ContainerRecord): void;
  end(record: ContainerRecord): void;
  close(): void;
};

/** How often a log that grows is looked at: so much may it get longer than it should. */
const LOOK_AFTER_MS = 100;
/** conmon answers within milliseconds. To ask it again too early would throw away what it wrote in between. */
const ASK_AGAIN_AFTER_MS = 10_000;

export function logRotation(context: Context): LogRotation {
  const watched = new Map<string, Disposable>();
  return {
    begin(record) {
      const { maxBytes, maxFiles } = logPlan(record.hostConfig);
      if (maxBytes === undefined || watched.has(record.id)) return;
      watched.set(record.id, watchLog(context, record.id, { maxBytes, maxFiles }));
    },
    end(record) {
      watched.get(record.id)?.[Symbol.dispose]();
      watched.delete(record.id);
    },
    close() {
      for (const each of watched.values()) each[Symbol.dispose]();
      watched.clear();
    },
  };
}

/**
 * Looks at a log when it was written to, and not more often than every so often: the watch ends with the first word
 * of a change, and begins again with the next look.
 */
function watchLog(
  context: Context,
  id: string,
  { maxBytes, maxFiles }: { readonly maxBytes: number; readonly maxFiles: number },
): Disposable {
  const { log, bundle } = pathsOf(context, id);
  // After a start of the engine as after a request: a reopening may be under way.
  let asked: { readonly inode: number | undefined; readonly atMs: number } = {
    inode: inodeOf(log) === inodeOf(`${log}.1`) ? inodeOf(log) : undefined,
    atMs: Date.now(),
  };
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  function rest(): void {
    watcher?.close();
    watcher = undefined;
    timer ??= setTimeout(() => {
      timer = undefined;
      look().catch((error: unknown) => context.warn(`the log of container ${id}: ${String(error)}`));
    }, LOOK_AFTER_MS);
  }

  async function look(): Promise<void> {
    if (ended) return;
    const found = statSync(log, { throwIfNoEntry: false });
    if (found === undefined) return;
    if (found.size >= maxBytes) {
      const waits = found.ino === asked.inode && Date.now() - asked.atMs < ASK_AGAIN_AFTER_MS;
      if (!waits) {
        asked = { inode: found.ino, atMs: Date.now() };
        if (!(await rotateLog(log, bundle, maxFiles))) return;
      }
      if (!ended) rest();
      return;
    }
    watcher = watchName(log, rest);
    // What was written before the watch.
    if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) >= maxBytes) rest();
  }

  rest();
  return {
    [Symbol.dispose]() {
      ended = true;
      watcher?.close();
      clearTimeout(timer);
    },
  };
}

import { watch } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../host/processes.ts';
import { type Context, pathsOf } from './context.ts';
import { findEnding, finishRun, removeContainer } from './end.ts';
import { exclusively } from './record.ts';
import { scheduleRestart } from './restarts.ts';
import { unlinkIfThere } from './start.ts';

/** How long a run whose monitor was killed can have ended before that is seen. */
const LOOK_EVERY_MS = 2_000;
const SHORT_ID = 12;

/**
 * Sees the ends of runs until `close`. conmon writes `exits/ID` when the container has ended and its log is whole:
 * one inotify watch sees all of them. A monitor that was killed writes nothing, so the processes are looked at too.
 */
export function watchExits(context: Context): { close(): void } {
  const handle = (id: string) => {
    handleExit(context, id).catch((error: unknown) =>
      context.warn(`container ${id.slice(0, SHORT_ID)}: ${String(error)}`),
    );
  };
  const watcher = watch(join(context.runDir, 'exits'), (_event, id) => {
    if (id !== null && /^[0-9a-f]{64}$/.test(id)) handle(id);
  });
  const timer = setInterval(() => {
    for (const { id, life } of context.store.active())
      if (life.status === 'running' && !isAlive(life.process)) handle(id);
  }, LOOK_EVERY_MS);
  timer.unref();
  return {
    close() {
      watcher.close();
      clearInterval(timer);
    },
  };
}

/** Writes down the end of a container's run, where it has ended, and does what follows from it. */
export async function handleExit(context: Context, id: string): Promise<void> {
  const record = context.store.byId(id);
  // Removed before its monitor had written.
  if (record === undefined) return await unlinkIfThere(pathsOf(context, id).exit);
  await exclusively(record, async () => {
    // A start that failed was undone, its monitor's exit file came late.
    if (record.life.status !== 'running') return await unlinkIfThere(pathsOf(context, id).exit);
    const ending = await findEnding(context, record);
    if (ending === undefined) return;
    await finishRun(context, record, ending);
    scheduleRestart(context, record);
    if (record.hostConfig.AutoRemove === true && !record.restarts.startWanted)
      await removeContainer(context, record);
  });
}

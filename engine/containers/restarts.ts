import { toBerthError } from '../api/errors.ts';
import type { Context } from './context.ts';
import { type ContainerRecord, exclusively, noRestarts, tellEnd } from './record.ts';
import { tellFollowers } from './rest.ts';
import { startsWithEngine } from './restart-policy.ts';
import { startContainer } from './start.ts';

/** How many containers are started at once when the engine starts. */
const AT_ONCE = 4;

/** Starts a container that is `restarting` when its pause is over: the rest of it, where the engine was away. */
export function scheduleRestart(context: Context, record: ContainerRecord): void {
  if (record.life.status !== 'restarting') return;
  const due = Date.parse(record.life.finishedAt) + record.restarts.delayMs;
  // A clock that was set back must not make the pause longer than it is.
  const waitMs = Math.min(Math.max(due - Date.now(), 0), record.restarts.delayMs);
  clearTimeout(record.backoff);
  record.backoff = setTimeout(() => void restartNow(context, record), waitMs);
}

/** Ends the pause before a restart for good: the container has exited then. The caller holds the record. */
export function giveUpRestart(context: Context, record: ContainerRecord, error?: string): void {
  clearTimeout(record.backoff);
  record.backoff = undefined;
  if (record.life.status !== 'restarting') return;
  const { status: _restarting, ...ending } = record.life;
  context.store.saveLife(record, { status: 'exited', ...ending, ...(error === undefined ? {} : { error }) });
  tellEnd(record, ending);
  tellFollowers(record);
}

/**
 * What the engine starts when it starts: containers whose pause it slept through, and those that their policy wants
 * up. Gives at once what they are from then on (`restarting`) and starts them a few at a time; see docs/life-of-a-run.md.
 */
export function startWithEngine(context: Context): { close(): void } {
  const { store } = context;
  for (const record of store.all()) {
    if (!startsWithEngine(record) || record.life.status !== 'exited') continue;
    const { error: _error, ...ending } = record.life;
    store.saveLife(
      record,
      { ...ending, status: 'restarting' },
      { ...record.restarts, endWanted: false, delayMs: 0 },
    );
  }
  const waiting = store.active().filter(({ life }) => life.status === 'restarting');
  const [later, now] = [
    waiting.filter(({ restarts }) => restarts.delayMs > 0),
    waiting.filter(({ restarts }) => restarts.delayMs === 0),
  ];
  for (const record of later) scheduleRestart(context, record);
  const queue = now.values();
  let closed = false;
  const started = new Map<string, Promise<void>>();
  const work = async () => {
    for (const record of queue) {
      if (closed) return;
      // What one shares or is linked to was created before it, so its start has begun already.
      const begun = restartAfter(
        neededBy(record).map((id) => started.get(id)),
        record,
      );
      started.set(record.id, begun);
      await begun;
    }
  };
  async function restartAfter(others: readonly (Promise<void> | undefined)[], record: ContainerRecord) {
    await Promise.all(others);
    await restartNow(context, record);
  }
  for (let worker = 0; worker < AT_ONCE; worker += 1) void work();
  return {
    close() {
      closed = true;
    },
  };
}

/** Ids of the containers whose namespaces one joins, and that it is linked to. */
function neededBy({ hostConfig }: ContainerRecord): readonly string[] {
  const { NetworkMode, IpcMode, PidMode, Links } = hostConfig;
  const shared = [NetworkMode, IpcMode, PidMode].flatMap(
    (mode) => /^container:(.+)$/.exec(mode ?? '')?.[1] ?? [],
  );
  return [...shared, ...(Links ?? []).map((link) => link.split(':')[0] ?? '')];
}

/** Never throws: nobody waits for it. */
async function restartNow(context: Context, record: ContainerRecord): Promise<void> {
  const work = exclusively(record, async () => {
    if (record.life.status !== 'restarting') return;
    record.backoff = undefined;
    try {
      if (record.restarts.startWanted) context.store.saveLife(record, record.life, noRestarts);
      await startContainer(context, record);
    } catch (thrown) {
      const { message } = toBerthError(thrown);
      context.warn(`container ${record.id} could not be started again: ${message}`);
      giveUpRestart(context, record, message);
    }
  });
  await work.catch((error: unknown) => context.warn(`container ${record.id}: ${String(error)}`));
}

import { existsSync, readFileSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError, isErrno, toBerthError } from '../api/errors.ts';
import { isAlive } from '../host/processes.ts';
import { unmountAside } from '../host/syscalls.ts';
import { cgroupPathOf } from './cgroup-path.ts';
import { type Context, pathsOf } from './context.ts';
import { anonymousOf, releaseVolumes } from './mounts/volumes.ts';
import { recordNetwork } from './network-events.ts';
import { type ContainerRecord, type Ending, lastEnding, tellEnd } from './record.ts';
import { tellFollowers } from './rest.ts';
import { afterEnd } from './restart-policy.ts';
import { unlinkIfThere } from './start.ts';

/** What docker reports for a container that was killed with the machine under it. */
const EXIT_UNKNOWN = 255;

/** How a run ended; undefined while it goes on, or its monitor is about to write down how it ended. */
export async function findEnding(context: Context, record: ContainerRecord): Promise<Ending | undefined> {
  // Looked at first: a monitor writes the exit file before it ends.
  const lost =
    record.life.status === 'running' && !isAlive(record.life.process) && !monitorLives(context, record);
  return (await readEnding(context, record)) ?? (lost ? lostEnding(record) : undefined);
}

/** Whether conmon still runs. */
function monitorLives(context: Context, record: ContainerRecord): boolean {
  try {
    const pid = Number(readFileSync(join(pathsOf(context, record.id).bundle, 'conmon.pid'), 'utf8'));
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(record.id);
  } catch {
    return false;
  }
}

/** What conmon left in its exit file. */
async function readEnding(context: Context, record: ContainerRecord): Promise<Ending | undefined> {
  const paths = pathsOf(context, record.id);
  try {
    const [text, { mtime }] = await Promise.all([readFile(paths.exit, 'utf8'), stat(paths.exit)]);
    if (!/^\d+$/.test(text.trim())) return undefined;
    return endingOf(record, {
      exitCode: Number(text),
      oomKilled: existsSync(join(paths.bundle, 'oom')),
      finishedAt: mtime.toISOString(),
    });
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}

/** The ending of a run that nobody saw: the machine went down, or its monitor was killed. */
function lostEnding(record: ContainerRecord): Ending {
  return endingOf(record, { exitCode: EXIT_UNKNOWN, oomKilled: false, finishedAt: new Date().toISOString() });
}

/**
 * Keeps how a run ended, and only then takes away what it had of the kernel: killed in between, the next start of
 * the engine finds an ended container and cleans up after it. The caller holds the record (`exclusively`), and has
 * to schedule the restart of one that is `restarting` then.
 */
export async function finishRun(
  context: Context,
  record: ContainerRecord,
  ending: Ending,
  { life, restarts } = afterEnd(record, ending),
): Promise<void> {
  context.store.saveLife(record, life, restarts);
  // In the same turn: who sees that it ended finds its death among the events.
  if (ending.oomKilled) context.record(record, 'oom');
  context.record(record, 'die', { exitCode: String(ending.exitCode), execDuration: execSeconds(ending) });
  try {
    await releaseRun(context, record, { ended: true });
  } catch (error) {
    // Those who wait for the end must hear of it all the same; the next start of the engine cleans up.
    context.warn(`container ${record.id} ended, and not all of it could be let go: ${String(error)}`);
  }
  recordNetwork(context, record, 'disconnect');
  tellEnd(record, ending);
  tellFollowers(record);
}

/** Whole seconds that a run lasted, as the event of its end says them. */
function execSeconds({ startedAt, finishedAt }: Ending): string {
  return String(Math.max(0, Math.floor((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)));
}

/**
 * Takes away all that a run had of the kernel and of the run directory. Safe to repeat, and where there is nothing.
 * `ended`: the run is known to have ended, and nothing is being made of it.
 */
export async function releaseRun(
  context: Context,
  record: Pick<ContainerRecord, 'id'> & Partial<Pick<ContainerRecord, 'hostConfig'>>,
  { ended = false }: { readonly ended?: boolean } = {},
): Promise<void> {
  const paths = pathsOf(context, record.id);
  const shared = context.store
    .active()
    .some(
      (other) => other.hostConfig.NetworkMode === `container:${record.id}` && other.life.status === 'running',
    );
  await Promise.all([
    // A run has its bundle from before its process to after it: without one, the runtime has nothing of it.
    existsSync(paths.bundle)
      ? context.runtime.remove(record.id, cgroupPathOf(context, record), { ended })
      : undefined,
    context.networks.stop(record.id, paths.netns, { shared }),
    unmountIfMounted(paths.rootfs),
    unmountIfMounted(paths.shm),
  ]);
  releaseVolumes(context, record);
  await rm(paths.bundle, { recursive: true, force: true });
  await unlinkIfThere(paths.exit);
}

async function unmountIfMounted(path: string): Promise<void> {
  try {
    await unmountAside(path, { detach: true });
  } catch (error) {
    // EINVAL: not a mount.
    if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) throw error;
  }
}

/**
 * Step by step until nothing of the container is left; the row goes last, so that an interrupted removal goes on.
 * Where a step fails the container is `dead`: it can be removed again, and nothing else. `volumes`: those without a
 * name go too, as they do with one that removes itself.
 */
export async function removeContainer(
  context: Context,
  record: ContainerRecord,
  options: { readonly volumes?: boolean | undefined } = {},
): Promise<void> {
  const { life } = record;
  const last = lastEnding(life);
  const begun = life.status === 'removing' && life.volumes;
  const volumes = options.volumes === true || begun || record.hostConfig.AutoRemove === true;
  context.store.saveLife(record, { status: 'removing', volumes, last });
  try {
    await releaseRun(context, record);
    await rm(pathsOf(context, record.id).root, { recursive: true, force: true });
    context.networks.forget(record.id);
    if (volumes) await context.volumes.removeAnonymous(anonymousOf(record.mounts));
  } catch (thrown) {
    const { message } = toBerthError(thrown);
    context.store.saveLife(record, { status: 'dead', error: message, last });
    const error = new BerthError('internal', `container ${record.name} could not be removed: ${message}`, {
      hint: `berth rm ${record.name} tries it again`,
      cause: thrown,
    });
    const { removed } = record;
    record.removed = Promise.withResolvers();
    // Nobody may wait for it.
    removed.promise.catch(() => undefined);
    removed.reject(error);
    throw error;
  }
  context.store.drop(record);
  context.record(record, 'destroy');
  tellFollowers(record);
  record.removed.resolve(last);
  record.exit.resolve(last);
}

function endingOf(record: ContainerRecord, end: Omit<Ending, 'startedAt'>): Ending {
  const startedAt = record.life.status === 'running' ? record.life.startedAt : record.createdAt;
  return { ...end, startedAt };
}

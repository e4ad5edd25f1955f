import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess } from '../host/processes.ts';
import { isFrozen } from '../runtime/freezer.ts';
import { cgroupPathOf } from './cgroup-path.ts';
import { endCommit } from './commit.ts';
import { type Context, pathsOf } from './context.ts';
import { findEnding, finishRun, releaseRun, removeContainer } from './end.ts';
import { mendFiles } from './links.ts';
import { forgetSubpaths, heldVolumes, usersOfVolume } from './mounts/volumes.ts';
import { portWishes } from './ports.ts';
import type { ContainerRecord } from './record.ts';
import { identityOf } from './start.ts';

/**
 * Brings the database and what is really there together again, whatever the engine was doing when it ended.
 * Called once, before anything is served. See docs/life-of-a-run.md.
 */
export async function recoverContainers(context: Context): Promise<void> {
  await mkdir(join(context.root, 'containers'), { recursive: true, mode: 0o710 });
  await mkdir(join(context.runDir, 'containers'), { recursive: true, mode: 0o700 });
  await mkdir(join(context.runDir, 'exits'), { recursive: true, mode: 0o700 });
  await context.volumes.recover({
    held: heldVolumes(context.store.all()),
    usersOf: (name) => usersOfVolume(context.store.all(), name),
  });
  forgetSubpaths(context);
  const left = await leftovers(context);
  for (const record of context.store.all())
    await attempt(context, record.id, () => recoverRecord(context, record, left.has(record.id)));
  const running = context.store
    .active()
    .filter(({ life, hostConfig }) => life.status === 'running' && hostConfig.NetworkMode !== 'host')
    .map((record) => {
      const sandbox = {
        path: pathsOf(context, record.id).netns,
        identity: identityOf(record),
        ports: portWishes(record),
      };
      return [record.id, sandbox] as const;
    });
  const all = new Set(context.store.all().map(({ id }) => id));
  await context.networks.recover(new Map(running), all);
  for (const record of context.store.active())
    if (record.life.status === 'running') await attempt(context, record.id, () => mendFiles(context, record));
  for (const id of left) {
    if (context.store.byId(id) === undefined) await attempt(context, id, () => sweep(context, id));
  }
}

/** One container that can't be brought in order must not keep the engine from serving the others. */
async function attempt(context: Context, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    context.warn(`container ${id} could not be recovered: ${String(error)}`);
  }
}

async function recoverRecord(
  context: Context,
  record: ContainerRecord,
  hasLeftovers: boolean,
): Promise<void> {
  switch (record.life.status) {
    case 'running': {
      // Without one the machine went down: that is no end for a policy to count, it starts with the engine then.
      const seen = existsSync(pathsOf(context, record.id).exit);
      const ending = await findEnding(context, record);
      if (ending === undefined) {
        lookWhetherPaused(context, record);
        return await endCommit(context, record);
      }
      const lost = { life: { status: 'exited', ...ending }, restarts: record.restarts } as const;
      await finishRun(context, record, ending, seen ? undefined : lost);
      break;
    }
    case 'removing':
    case 'dead':
      await removeContainer(context, record);
      return;
    case 'created':
    case 'exited':
    case 'restarting':
      if (hasLeftovers && !(await adopt(context, record))) await releaseRun(context, record);
  }
  if (
    record.life.status === 'exited' &&
    record.hostConfig.AutoRemove === true &&
    !record.restarts.startWanted
  )
    await removeContainer(context, record);
}

/** The engine may have ended between freezing or thawing it and writing that down: the kernel knows. */
function lookWhetherPaused(context: Context, record: ContainerRecord): void {
  const { life } = record;
  if (life.status !== 'running') return;
  const paused = isFrozen(cgroupPathOf(context, record));
  if (paused !== (life.paused === true)) context.store.saveLife(record, { ...life, paused });
}

/** The engine ended between starting the process and writing it down: the container runs, so it is running. */
async function adopt(context: Context, record: ContainerRecord): Promise<boolean> {
  const state = await context.runtime.status(record.id);
  const process = state?.status === 'running' ? identifyProcess(state.pid) : undefined;
  if (process === undefined) return false;
  context.store.saveLife(record, { status: 'running', process, startedAt: new Date().toISOString() });
  return true;
}

/** Ids that have a bundle, an exit file, a directory or a mount, in whatever state. */
async function leftovers(context: Context): Promise<ReadonlySet<string>> {
  const containers = join(context.root, 'containers');
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, target = ''] = line.split(' ');
      return target.startsWith(`${containers}/`)
        ? [target.slice(containers.length + 1).split('/')[0] ?? '']
        : [];
    });
  const [bundles, exits, directories] = await Promise.all([
    readdir(join(context.runDir, 'containers')),
    readdir(join(context.runDir, 'exits')),
    readdir(containers),
  ]);
  const unknown = directories.filter((id) => context.store.byId(id) === undefined);
  return new Set([...mounted, ...bundles, ...exits, ...unknown].filter((id) => /^[0-9a-f]{64}$/.test(id)));
}

/** Something of a container that has no row: made just before, or left just after, the row's own life. */
async function sweep(context: Context, id: string): Promise<void> {
  await releaseRun(context, { id });
  await rm(pathsOf(context, id).root, { recursive: true, force: true });
}

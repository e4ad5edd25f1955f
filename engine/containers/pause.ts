import { BerthError, isErrno } from '../api/errors.ts';
import { freeze, isFrozen, thaw } from '../runtime/freezer.ts';
import { cgroupPathOf } from './cgroup-path.ts';
import type { Context } from './context.ts';
import { type ContainerRecord, exclusively } from './record.ts';

/** What freezes a container's processes and lets them go on. */
export type PauseApi = {
  /** Throws `conflict` for one that does not run, restarts, or is paused already. */
  pause(name: string): Promise<void>;
  /** Throws `conflict` for one that is not paused. */
  unpause(name: string): Promise<void>;
};

export function containerPause(context: Context): PauseApi {
  return {
    async pause(name) {
      const record = context.store.find(name);
      await exclusively(record, async () => {
        const { life, id } = record;
        if (life.status === 'restarting') throw restarting(record);
        if (life.status !== 'running') throw notRunning(record);
        if (life.paused) throw new BerthError('conflict', `Container ${id} is already paused`);
        try {
          await freeze(cgroupPathOf(context, record));
        } catch (error) {
          // Its cgroup went with its last process; that it ended is written down behind this.
          if (isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV')) throw notRunning(record);
          throw error;
        }
        context.store.saveLife(record, { ...life, paused: true });
        context.record(record, 'pause');
      });
    },

    async unpause(name) {
      const record = context.store.find(name);
      await exclusively(record, async () => {
        if (!isPaused(record))
          throw new BerthError('conflict', `Container ${record.id} is not paused`, {
            hint: `berth pause ${record.name}`,
          });
        letGoOn(context, record);
      });
    },
  };
}

export function isPaused({ life }: Pick<ContainerRecord, 'life'>): boolean {
  return life.status === 'running' && life.paused === true;
}

/**
 * Lets a paused container go on: a signal that is to end it does so only then. One that was frozen behind the engine's
 * back as well.
 */
export function letGoOn(context: Context, record: ContainerRecord): void {
  const { life } = record;
  if (life.status !== 'running') return;
  const cgroup = cgroupPathOf(context, record);
  if (life.paused !== true && !isFrozen(cgroup)) return;
  thaw(cgroup);
  if (life.paused !== true) return;
  context.store.saveLife(record, { ...life, paused: false });
  context.record(record, 'unpause');
}

/**
 * For what needs a container's processes to run, and not only to be there: exec, attach. `what` is the end of the
 * sentence «unpause the container before …». Throws `conflict`.
 */
export function requireUnpaused(record: ContainerRecord, what: string): void {
  if (!isPaused(record)) return;
  throw new BerthError(
    'conflict',
    `container ${record.name} is paused, unpause the container before ${what}`,
    {
      hint: `berth unpause ${record.name}`,
    },
  );
}

export function notRunning(record: ContainerRecord): BerthError {
  return new BerthError('conflict', `Container ${record.id} is not running`, {
    hint: `berth start ${record.name}`,
  });
}

/** The error for what can't be done between two runs. */
export function restarting(record: ContainerRecord): BerthError {
  return new BerthError(
    'conflict',
    `Container ${record.id} is restarting, wait until the container is running`,
    { hint: `berth stop ${record.name} ends that` },
  );
}

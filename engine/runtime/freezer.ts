import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BerthError, isErrno } from '../api/errors.ts';

/** How long the kernel may take to bring all processes of a cgroup to a halt. */
const TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 5;

/**
 * Freezing a cgroup's processes, by its files: v1 has a hierarchy for it, v2 a file in each cgroup. The runtimes write
 * the same files, and crun 1.8 doesn't find them where both hierarchies are mounted.
 * Rule: Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst and cgroup-v2.rst of the kernel.
 */
export async function freeze(cgroup: string): Promise<void> {
  const freezer = freezerOf(cgroup);
  const deadline = Date.now() + TIMEOUT_MS;
  do {
    // v1: a process that forks meanwhile can escape, and writing again takes it in.
    writeFileSync(freezer.file, freezer.frozen);
    if (freezer.isFrozen()) return;
    await delay(LOOK_EVERY_MS);
  } while (Date.now() < deadline);
  writeFileSync(freezer.file, freezer.thawed);
  throw new BerthError('internal', `the kernel did not freeze the processes in ${cgroup} in time`);
}

/** Lets them go on. Nothing where there is no such cgroup any more. */
export function thaw(cgroup: string): void {
  try {
    const freezer = freezerOf(cgroup);
    writeFileSync(freezer.file, freezer.thawed);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENODEV')) throw error;
  }
}

/** Whether they are frozen, or about to be. */
export function isFrozen(cgroup: string): boolean {
  try {
    const { file, thawed } = freezerOf(cgroup);
    return readFileSync(file, 'utf8').trim() !== thawed;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV')) return false;
    throw error;
  }
}

function freezerOf(cgroup: string) {
  const v1 = '/sys/fs/cgroup/freezer';
  if (existsSync(v1)) {
    const file = join(v1, cgroup, 'freezer.state');
    return {
      file,
      frozen: 'FROZEN',
      thawed: 'THAWED',
      isFrozen: () => readFileSync(file, 'utf8').trim() === 'FROZEN',
    };
  }
  const directory = join('/sys/fs/cgroup', cgroup);
  return {
    file: join(directory, 'cgroup.freeze'),
    frozen: '1',
    thawed: '0',
    isFrozen: () => /^frozen 1$/m.test(readFileSync(join(directory, 'cgroup.events'), 'utf8')),
  };
}

import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../api/errors.ts';

const ROOT = '/sys/fs/cgroup';

/** `hybrid`: v1 controllers with an empty v2 tree at /sys/fs/cgroup/unified. */
export type CgroupLayout = 'v1' | 'v2' | 'hybrid';

/** Which cgroups this machine has, read off its mount table. */
export function detectCgroups(mounts: string = readFileSync('/proc/self/mounts', 'utf8')): CgroupLayout {
  const types = new Map(
    mounts.split('\n').map((line) => {
      const [, target = '', type = ''] = line.split(' ');
      return [target, type] as const;
    }),
  );
  if (types.get('/sys/fs/cgroup') === 'cgroup2') return 'v2';
  return types.get('/sys/fs/cgroup/unified') === 'cgroup2' ? 'hybrid' : 'v1';
}

/** Whether swap can be limited: v1 needs a kernel that was told to count it, v2 always counts. */
export function countsSwap(layout: CgroupLayout): boolean {
  return layout === 'v2' || existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes');
}

/** Lets a cgroup have as many processes as there can be; crun 1.8 has no word for that in an update. */
export function liftPidsLimit(path: string): void {
  const files = ['', 'pids'].map((hierarchy) => join(ROOT, hierarchy, path, 'pids.max'));
  const file = files.find((each) => existsSync(each));
  if (file !== undefined) writeFileSync(file, 'max');
}

/** How often, and how long apart, a cgroup that the kernel still holds is tried again. */
const TRIES = 10;
const BETWEEN_TRIES_MS = 10;

/** Takes a cgroup away in every hierarchy that has it, with what lies empty in it, where nothing runs in it any more. */
export function removeCgroup(path: string): void {
  for (const hierarchy of hierarchies()) {
    const directory = join(hierarchy, path);
    if (existsSync(directory)) removeDirectory(directory);
  }
}

/** Whether a process is in a cgroup or in one below it, in whichever hierarchy: a create may have ended halfway. */
export function isCgroupInUse(path: string): boolean {
  return hierarchies().some((hierarchy) => isInUse(join(hierarchy, path)));
}

const hierarchies = () => [ROOT, ...childrenOf(ROOT)];

/** The directories right below one; none of one that is gone. No glob: to load what reads its patterns takes 20 ms. */
function childrenOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(directory, name));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV')) return [];
    throw error;
  }
}

function removeDirectory(directory: string): void {
  for (let tried = 1; ; tried += 1) {
    try {
      rmdirSync(directory);
      return;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      if (!isErrno(error, 'EBUSY')) throw error;
    }
    // EBUSY: a container of it runs, one of its own lies in it, or the kernel has not let go of an ended one yet.
    if (tried === TRIES || isInUse(directory)) return;
    for (const child of childrenOf(directory)) removeDirectory(child);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BETWEEN_TRIES_MS);
  }
}

function isInUse(directory: string): boolean {
  const processes = join(directory, 'cgroup.procs');
  if (existsSync(processes) && readFileSync(processes, 'utf8') !== '') return true;
  return childrenOf(directory).some(isInUse);
}

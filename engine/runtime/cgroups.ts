import { existsSync, globSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../api/errors.ts';

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
  const [file] = globSync([
    join('/sys/fs/cgroup', path, 'pids.max'),
    join('/sys/fs/cgroup/pids', path, 'pids.max'),
  ]);
  if (file !== undefined) writeFileSync(file, 'max');
}

/** Takes a cgroup away in every hierarchy that has it, where nothing is in it any more. */
export function removeCgroup(path: string): void {
  const found = globSync([join('/sys/fs/cgroup', path), join('/sys/fs/cgroup/*', path)]);
  for (const directory of found) {
    try {
      rmdirSync(directory);
    } catch (error) {
      // EBUSY: a container of it runs, or the kernel has not let go of an ended one yet.
      if (!isErrno(error, 'EBUSY') && !isErrno(error, 'ENOENT')) throw error;
    }
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../api/errors.ts';
import { type CgroupLayout, detectCgroups } from './cgroups.ts';

/** Where the cgroup of one container is: its directory in the v2 tree, or in each v1 hierarchy. */
export type CgroupPlaces = {
  readonly version: 1 | 2;
  /** The directory of a controller (`memory`, `pids`, …); undefined where the machine lacks it. */
  of(controller: string): string | undefined;
};

/**
 * Finds the cgroup of the container with this id by its first process. Undefined where the process has ended.
 * A program that makes cgroups of its own below, as systemd does, may sit in one of them: the container's is the
 * one with the id in its name.
 */
export function findCgroup(
  pid: number,
  id: string,
  layout: CgroupLayout = detectCgroups(),
): CgroupPlaces | undefined {
  const paths = pathsOfProcess(pid);
  if (paths === undefined) return undefined;
  if (layout === 'v2') {
    const path = paths.get('');
    return { version: 2, of: () => (path === undefined ? undefined : directoryOf('', path, id)) };
  }
  return {
    version: 1,
    of(controller) {
      const path = paths.get(controller);
      return path === undefined ? undefined : directoryOf(controller, path, id);
    },
  };
}

/** Which cgroup a process is in, by controller; `` is the v2 tree. cgroups(7), «/proc/pid/cgroup». */
function pathsOfProcess(pid: number): ReadonlyMap<string, string> | undefined {
  const text = readUnlessGone(`/proc/${pid}/cgroup`);
  if (text === undefined) return undefined;
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, controllers = '', ...path] = line.split(':');
      return controllers.split(',').map((controller) => [controller, path.join(':')] as const);
    }),
  );
}

function directoryOf(controller: string, path: string, id: string): string {
  const segments = path.split('/');
  const own = segments.findIndex((segment) => segment.includes(id));
  return join('/sys/fs/cgroup', controller, ...(own < 0 ? segments : segments.slice(0, own + 1)));
}

/** The processes in a cgroup and in those below it. */
export function processesIn(directory: string): readonly number[] {
  const own = (readUnlessGone(join(directory, 'cgroup.procs')) ?? '').split('\n').filter(Boolean).map(Number);
  const below = subdirectories(directory).flatMap((name) => processesIn(join(directory, name)));
  return [...own, ...below];
}

function subdirectories(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return [];
  }
}

/** A file of the kernel's; undefined where what it tells of has gone. */
export function readUnlessGone(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    // ENODEV: the cgroup was removed between opening and reading. ESRCH: the process ended.
    if (['ENOENT', 'ENODEV', 'ESRCH', 'ENOTDIR'].some((code) => isErrno(error, code))) return undefined;
    // EOPNOTSUPP: a controller that is there and counts nothing.
    if (isErrno(error, 'EOPNOTSUPP') || isErrno(error, 'ENOTSUP')) return undefined;
    throw error;
  }
}

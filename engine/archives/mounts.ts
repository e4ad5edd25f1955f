import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path/posix';
import { BerthError, isErrno } from '../api/errors.ts';
import { isAlive } from '../host/processes.ts';
import { entryPath, type Held, hold, resolveIn, selfPath } from '../host/rooted-files.ts';
import { leaveMountNamespace, mount, unmount } from '../host/syscalls.ts';
import type { View, ViewBind } from './protocol.ts';

const O_PATH = 0o10000000;

/** Opens the root of a tree. Throws `conflict` where the process has ended. Only in a worker thread. */
export function openView(view: View): Held {
  switch (view.kind) {
    case 'directory':
      return hold(openSync(view.path, O_PATH));
    case 'process':
      return openProcessRoot(view);
    case 'overlay':
      return openOverlay(view);
  }
}

function openProcessRoot({ pid, startedAt }: Extract<View, { kind: 'process' }>): Held {
  const gone = () => new BerthError('conflict', 'the container ended while its files were looked at');
  let held: Held;
  try {
    held = hold(openSync(`/proc/${pid}/root`, O_PATH));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH') || isErrno(error, 'EACCES')) throw gone();
    throw error;
  }
  // Looked at when it is held: what it is the root of is now known to be that very process.
  if (isAlive({ pid, startedAt })) return held;
  held[Symbol.dispose]();
  throw gone();
}

/**
 * Mounts layers in a namespace of this thread's own: the kernel takes the mounts away with the thread, and with the
 * engine if that is killed. Without an upper directory what has to be made, the places of binds, is made in memory.
 */
function openOverlay(view: Extract<View, { kind: 'overlay' }>): Held {
  leaveMountNamespace();
  let target = view.at;
  let changes = view.upper;
  if (changes === undefined) {
    mount({ source: 'tmpfs', target, type: 'tmpfs', data: 'mode=755' });
    changes = { directory: `${target}/upper`, work: `${target}/work` };
    for (const path of [changes.directory, changes.work, `${target}/root`]) mkdirSync(path);
    target = `${target}/root`;
  }
  mount({
    source: 'overlay',
    target,
    type: 'overlay',
    data: `lowerdir=${view.lower.join(':')},upperdir=${changes.directory},workdir=${changes.work}`,
  });
  const root = hold(openSync(target, O_PATH));
  for (const bind of view.binds) mountBind(root.descriptor, bind);
  letGoOfOthers(view.at);
  return root;
}

/**
 * Takes all other mounts out of this namespace: they would stay for as long as somebody reads slowly, though their
 * owners take them off in the host's.
 */
function letGoOfOthers(at: string): void {
  const contains = (outer: string, inner: string) => outer === inner || inner.startsWith(`${outer}/`);
  for (const target of mountTargets().toReversed()) {
    if (target === '/' || contains('/proc', target) || contains(target, at) || contains(at, target)) continue;
    try {
      unmount(target, { detach: true });
    } catch (error) {
      // It went with one that it was on.
      if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) throw error;
    }
  }
}

/** Where something is mounted for this thread, in the order in which it was; proc_pid_mounts(5). */
function mountTargets(): readonly string[] {
  return readFileSync('/proc/thread-self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ').slice(1, 2))
    .map((target) =>
      target.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
    );
}

/** Puts something of the host's where the container will see it, resolved inside the tree. A missing place is made. */
function mountBind(root: number, { source, destination, readOnly }: ViewBind): void {
  const found = statSync(source, { throwIfNoEntry: false });
  // What is not there on the host is not there in the container.
  if (found === undefined) return;
  using place = openOrMakePlace(root, destination, found.isDirectory());
  mount({ source, target: selfPath(place.descriptor), flags: ['bind', 'rec'] });
  if (!readOnly) return;
  using mounted = resolveIn(root, destination, { follow: true });
  mount({ target: selfPath(mounted.descriptor), flags: ['remount', 'bind', 'ro'] });
}

function openOrMakePlace(root: number, path: string, directory: boolean): Held {
  try {
    return resolveIn(root, path, { follow: true });
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || path === '/') throw error;
  }
  using above = openOrMakePlace(root, dirname(path), true);
  const entry = entryPath(above.descriptor, path.slice(path.lastIndexOf('/') + 1));
  if (lstatSync(entry, { throwIfNoEntry: false }) === undefined) {
    if (directory) mkdirSync(entry, { mode: 0o755 });
    else closeSync(openSync(entry, 'wx', 0o644));
  }
  return resolveIn(root, path, { follow: true });
}

/** Which mount a descriptor is on: proc_pid_fdinfo(5). */
export function mountIdOf(held: number): string {
  return /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${held}`, 'utf8'))?.[1] ?? '';
}

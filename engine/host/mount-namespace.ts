import { closeSync, openSync } from 'node:fs';
import { call, check } from './libc.ts';
import { mount, unmount } from './syscalls.ts';

const CLONE_NEWNS = 0x20000;

/**
 * A copy of the engine's mount namespace in which something is not mounted, to run a program in. It is there until it
 * is disposed of and the last program in it has ended. `path` names it for nsenter(1), to whoever shares the engine's
 * process ids. What is mounted in the copy stays there; `sharing`: it is seen here too where this machine shares its
 * mounts, below `hidden`'s parent excepted.
 *
 * The engine's own thread goes in and comes back within this call. A shell, unshare(1) and umount(8) take 10 ms for
 * the same.
 */
export function copyMountNamespace(options: {
  /** A mount point, and the mount that it lies in. */
  readonly hidden: string;
  readonly parent: string;
  readonly sharing: boolean;
}): Disposable & { readonly path: string } {
  const { hidden, parent, sharing } = options;
  const workingDirectory = process.cwd();
  const home = openSync('/proc/thread-self/ns/mnt', 'r');
  let copy: number;
  try {
    check(call('int unshare(int)')(CLONE_NEWNS), 'unshare', hidden);
    try {
      if (sharing) mount({ target: parent, flags: ['private', 'rec'] });
      else mount({ target: '/', flags: ['slave', 'rec'] });
      unmount(hidden, { detach: true });
      copy = openSync('/proc/thread-self/ns/mnt', 'r');
    } finally {
      // An engine that can't come back would mount where nobody sees it.
      if (call('int setns(int, int)')(home, CLONE_NEWNS) < 0) process.abort();
      process.chdir(workingDirectory);
    }
  } finally {
    closeSync(home);
  }
  return { path: `/proc/${process.pid}/fd/${copy}`, [Symbol.dispose]: () => closeSync(copy) };
}

import { closeSync, openSync } from 'node:fs';
import { call, check } from './libc.ts';
import { openRouteSocket, type RouteSocket } from './netlink.ts';
import { mount } from './syscalls.ts';

const CLONE_NEWNET = 0x40000000;

/**
 * Runs `work` with the engine's own thread in another network namespace, and comes back within this call, so that
 * nothing else of the engine ever sees it: sockets that are opened in it belong to that namespace for good. Only
 * synchronous calls may be made in it. `enter` goes there.
 */
function elsewhere<T>(enter: () => void, work: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    enter();
    try {
      return work();
    } finally {
      // An engine that can't come back must not go on in the wrong network.
      if (call('int setns(int, int)')(home, CLONE_NEWNET) < 0) process.abort();
    }
  } finally {
    closeSync(home);
  }
}

/** A network namespace that nothing holds but a descriptor: it goes with it, and so with this process. */
export type NetworkNamespace = {
  readonly descriptor: number;
  /** A socket that works inside it. */
  readonly socket: RouteSocket;
};

/** Makes one; a spawned unshare(1) takes 10 ms for the same. Throws what the system call said. */
export function makeNetworkNamespace(): NetworkNamespace {
  return elsewhere(
    () => check(call('int unshare(int)')(CLONE_NEWNET), 'unshare', 'network'),
    () => ({ socket: openRouteSocket(), descriptor: openSync('/proc/thread-self/ns/net', 'r') }),
  );
}

/** Has the file at `path`, which is there, keep a namespace too. Throws what mount(2) said. */
export function keepNetworkNamespace(descriptor: number, path: string): void {
  mount({ source: `/proc/self/fd/${descriptor}`, target: path, flags: ['bind'] });
}

/** Runs `work` in the network namespace that the file at `path` keeps. Throws what the system call said. */
export function inNetworkNamespace<T>(path: string, work: () => T): T {
  const descriptor = openSync(path, 'r');
  try {
    return elsewhere(() => check(call('int setns(int, int)')(descriptor, CLONE_NEWNET), 'setns', path), work);
  } finally {
    closeSync(descriptor);
  }
}

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

/**
 * Makes a network namespace that the file at `path` keeps, and gives a socket that works inside it; a spawned
 * unshare(1) takes 10 ms for the same. Throws what the system call said; the namespace is gone then.
 */
export function makeNetworkNamespace(path: string): RouteSocket {
  return elsewhere(
    () => check(call('int unshare(int)')(CLONE_NEWNET), 'unshare', path),
    () => {
      mount({ source: '/proc/thread-self/ns/net', target: path, flags: ['bind'] });
      return openRouteSocket();
    },
  );
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

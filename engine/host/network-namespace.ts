import { closeSync, openSync } from 'node:fs';
import { call, check } from './libc.ts';
import { openRouteSocket, type RouteSocket } from './netlink.ts';
import { mount } from './syscalls.ts';

const CLONE_NEWNET = 0x40000000;

/**
 * Makes a network namespace that the file at `path` keeps, and gives a socket that works inside it. The engine's own
 * thread goes in and comes back within this call, so nothing else of the engine ever sees it; a spawned unshare(1)
 * takes 10 ms for the same. Throws what the system call said; the namespace is gone then.
 */
export function makeNetworkNamespace(path: string): RouteSocket {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    check(call('int unshare(int)')(CLONE_NEWNET), 'unshare', path);
    try {
      mount({ source: '/proc/thread-self/ns/net', target: path, flags: ['bind'] });
      return openRouteSocket();
    } finally {
      // An engine that can't come back must not go on in the wrong network.
      if (call('int setns(int, int)')(home, CLONE_NEWNET) < 0) process.abort();
    }
  } finally {
    closeSync(home);
  }
}

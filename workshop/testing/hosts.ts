import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { promisify } from 'node:util';
import { call, check } from '../../engine/host/libc.ts';
import { createNamespace, removeNamespace } from '../../engine/networks/namespaces.ts';

const run = promisify(execFile);
const CLONE_NEWNET = 0x40000000;

/** A network namespace that stands for another host. */
export type TestHost = AsyncDisposable & {
  /** The file that keeps it: for `nsenter --net=`. */
  readonly path: string;
  /** Runs a program there and gives what it prints. */
  readonly run: (...command: readonly string[]) => Promise<string>;
};

/** Makes a host with a loopback and nothing else. */
export async function makeHost(path: string): Promise<TestHost> {
  createNamespace(path);
  return {
    path,
    run: async (...command) => (await run('nsenter', [`--net=${path}`, ...command])).stdout,
    [Symbol.asyncDispose]: () => removeNamespace(path),
  };
}

/**
 * Has this thread live on a host, and all that it starts, until it is disposed of: for what would change the rules or
 * routes of the machine. /sys shows the machine's own interfaces all the same.
 */
export function enterHost(path: string): Disposable {
  const setns = call('int setns(int, int)');
  const home = openSync('/proc/thread-self/ns/net', 'r');
  const there = openSync(path, 'r');
  check(setns(there, CLONE_NEWNET), 'setns', path);
  closeSync(there);
  return {
    [Symbol.dispose]() {
      check(setns(home, CLONE_NEWNET), 'setns', 'home');
      closeSync(home);
    },
  };
}

/** Joins a host to another, or to this one, by a cable: `here` and `there` are the addresses of its ends, with prefixes. */
export async function joinHosts(options: {
  readonly to: TestHost;
  /** This machine's own namespace where it is left out. */
  readonly from?: TestHost;
  readonly here: readonly string[];
  readonly there: readonly string[];
}): Promise<string> {
  const { from, to } = options;
  const name = `bo-${randomBytes(4).toString('hex')}`;
  const here =
    from === undefined
      ? async (...command: string[]) => (await run(command[0] ?? '', command.slice(1))).stdout
      : from.run;
  await here('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', to.path);
  for (const address of options.here)
    await here('ip', 'addr', 'add', address, 'dev', name, ...nodad(address));
  await here('ip', 'link', 'set', name, 'up');
  for (const address of options.there)
    await to.run('ip', 'addr', 'add', address, 'dev', 'eth0', ...nodad(address));
  await to.run('ip', 'link', 'set', 'eth0', 'up');
  return name;
}

const nodad = (address: string) => (address.includes(':') ? ['nodad'] : []);

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { createNamespace, removeNamespace } from '../../engine/networks/namespaces.ts';

const run = promisify(execFile);

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

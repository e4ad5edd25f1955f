import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { ROOT } from '../sources.ts';
import { startEngine } from '../testing/engine.ts';
import { peerMissing, startDockerd, startPodman } from '../testing/peers.ts';
import { BENCH_IMAGE } from './image.ts';
import { firstLine, type Program, timeProgram } from './program.ts';
import { serveImages } from './registry.ts';

/** An engine under test, through its own command line, as its users drive it. */
export type Contender = AsyncDisposable & {
  readonly name: string;
  readonly version: string;
  /** Time of one measured action, in milliseconds. */
  readonly run: () => Promise<number>;
  /** The image is removed again, outside of the time. */
  readonly pull: () => Promise<number>;
};

type Cli = {
  readonly name: string;
  readonly version: string;
  /** The program and the flags before every command. */
  readonly base: Program;
  readonly environment?: Readonly<Record<string, string>>;
  readonly pullFlags?: readonly string[];
  /** Where its registry has to be: the pid of a process in its network namespace. */
  readonly pid?: number | undefined;
};

async function contenderOf(cli: Cli, undo: AsyncDisposableStack): Promise<Contender> {
  const registry = undo.use(await serveImages(cli.pid));
  const [busybox, big] = [`${registry.host}/busybox:latest`, `${registry.host}/${BENCH_IMAGE}`];
  const time = (...args: readonly string[]) => timeProgram([...cli.base, ...args], cli.environment);
  const pull = (image: string) => time('pull', ...(cli.pullFlags ?? []), image);
  await pull(busybox);
  return {
    name: cli.name,
    version: cli.version,
    run: () => time('run', '--rm', busybox, 'true'),
    pull: async () => {
      const tookMs = await pull(big);
      await time('rmi', big);
      return tookMs;
    },
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

async function berth(): Promise<Contender> {
  await using undo = new AsyncDisposableStack();
  const engine = undo.use(await startEngine({ busybox: false }));
  // The bundle on our Node: what the command `berth` on the PATH is.
  const base: Program = [execPath, join(ROOT, 'dist/berth.js'), '--host', engine.host];
  const version = (await engine.client.call('version', {})).Version;
  return await contenderOf({ name: 'berth', version, base }, undo.move());
}

async function dockerd(): Promise<Contender | string> {
  await using undo = new AsyncDisposableStack();
  const peer = await startDockerd();
  if (peer === undefined) return `dockerd: ${await peerMissing('dockerd')}`;
  undo.use(peer);
  const base: Program = ['docker', '--host', peer.host];
  const version = await firstLine([...base, 'version', '--format', '{{.Server.Version}}']);
  const pid = processOf(peer.socketPath, 'dockerd');
  return await contenderOf({ name: 'dockerd', version, base, pid }, undo.move());
}

/** Podman has no daemon: its own command line, where its service is, on the same storage. */
async function podman(): Promise<Contender | string> {
  await using undo = new AsyncDisposableStack();
  const peer = await startPodman();
  if (peer === undefined) return `podman: ${await peerMissing('podman')}`;
  undo.use(peer);
  const pid = processOf(peer.socketPath, 'podman');
  const [program = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const flags = words.slice(0, words.indexOf('system'));
  const environment = Object.fromEntries(
    readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
      .filter(([name]) => name.startsWith('CONTAINERS_')),
  );
  const inside = ['--target', String(pid), '--net', '--mount', '--pid'];
  const base: Program = ['nsenter', ...inside, program, ...flags];
  const version = await firstLine(['podman', 'version', '--format', '{{.Client.Version}}']);
  const pullFlags = ['--tls-verify=false'];
  return await contenderOf({ name: 'podman', version, base, environment, pullFlags, pid }, undo.move());
}

/** The pid of the program that serves a socket: it has the path on its command line. */
function processOf(socketPath: string, program: string): number {
  const found = globSync('/proc/[0-9]*/cmdline').find((path) => {
    const words = readCommand(path);
    return words[0]?.endsWith(program) && words.some((word) => word.includes(socketPath));
  });
  if (found === undefined) throw new Error(`no ${program} serves ${socketPath}`);
  return Number(found.split('/')[2]);
}

function readCommand(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\0');
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

export const contenders = { berth, dockerd, podman } as const;

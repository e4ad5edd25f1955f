import { globSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Client, createClient, parseHost } from '../../engine/client/index.ts';
import { launched } from '../launcher.ts';
import { startEngine } from '../testing/engine.ts';
import { peerMissing, startDockerd, startPodman } from '../testing/peers.ts';
import { firstLine, outputOf, type Program, timeProgram } from './program.ts';
import { serveImages } from './registry.ts';

/** An engine under test, through its own command line, as its users drive it. */
export type Contender = AsyncDisposable & {
  readonly name: string;
  readonly version: string;
  /** An image that it has: busybox. */
  readonly busybox: string;
  /** Time of a command of its own command line, in milliseconds. */
  readonly time: (...args: readonly string[]) => Promise<number>;
  /** What a command of its own command line prints. */
  readonly output: (...args: readonly string[]) => Promise<string>;
  /** What to write before a program that is to run in the network namespace that is its host. */
  readonly onHost: Program;
  /** An image of the bench's by the name that it has in this engine's registry. */
  readonly reference: (image: string) => string;
  /** Time of a pull, in milliseconds; of what `reference` gives. */
  readonly pull: (reference: string) => Promise<number>;
  /** Where it keeps images and containers. */
  readonly storage: string;
  /** Its API, where it is a daemon. */
  readonly client: Client | undefined;
  /** Processes of the engine itself and of what watches its containers, without the containers' own. */
  readonly processes: () => readonly number[];
};

type Cli = {
  readonly name: string;
  readonly version: string;
  readonly storage: string;
  /** The program and the flags before every command. */
  readonly base: Program;
  readonly environment?: Readonly<Record<string, string>>;
  readonly pullFlags?: readonly string[];
  /** The pid of a process in its network namespace: where its registry has to be. */
  readonly pid: number;
  readonly client?: Client;
  readonly processes?: () => readonly number[];
};

async function contenderOf(cli: Cli, undo: AsyncDisposableStack): Promise<Contender> {
  const registry = undo.use(await serveImages(cli.pid));
  const reference = (image: string) => `${registry.host}/${image}`;
  const busybox = reference('busybox:latest');
  const time = (...args: readonly string[]) => timeProgram([...cli.base, ...args], cli.environment);
  const output = (...args: readonly string[]) => outputOf([...cli.base, ...args], cli.environment);
  const pull = (image: string) => time('pull', ...(cli.pullFlags ?? []), image);
  await pull(busybox);
  return {
    name: cli.name,
    version: cli.version,
    busybox,
    time,
    output,
    onHost: ['nsenter', `--net=/proc/${cli.pid}/ns/net`],
    client: cli.client,
    processes: cli.processes ?? (() => []),
    reference,
    pull,
    storage: cli.storage,
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

type Berth = Contender & { readonly client: Client; readonly runDir: string };

/** `layers` is its setting of that name. */
async function berth(name = 'berth', layers: object = {}): Promise<Berth> {
  await using undo = new AsyncDisposableStack();
  // In a network of its own, as the others are: no rules of others beside its own.
  const engine = undo.use(
    await startEngine({ busybox: false, bundled: true, ownNetwork: true, settings: { layers } }),
  );
  const base: Program = [...launched(), '--host', engine.host];
  const version = (await engine.client.call('version', {})).Version;
  const { client } = engine;
  // conmon has the engine's directories on its command line.
  const processes = () => [
    engine.pid(),
    ...processesWith((words) => isNamed(words, 'conmon') && has(words, engine.runDir)),
  ];
  const storage = engine.root;
  const cli = { name, version, storage, base, pid: engine.pid(), client, processes };
  const contender = await contenderOf(cli, undo.move());
  return { ...contender, client, runDir: engine.runDir };
}

async function dockerd(): Promise<Contender | string> {
  await using undo = new AsyncDisposableStack();
  const peer = await startDockerd();
  if (peer === undefined) return `dockerd: ${await peerMissing('dockerd')}`;
  undo.use(peer);
  const base: Program = ['docker', '--host', peer.host];
  const version = await firstLine([...base, 'version', '--format', '{{.Server.Version}}']);
  const pid = processOf(peer.socketPath, 'dockerd');
  const client = createClient(parseHost(peer.host));
  undo.defer(() => client.close());
  const processes = () =>
    processesWith(
      (words, its) => /dockerd|containerd/.test(words[0] ?? '') && namespaceOf(its) === namespaceOf(pid),
    );
  const storage = join(dirname(peer.socketPath), 'data');
  return await contenderOf({ name: 'dockerd', version, storage, base, pid, client, processes }, undo.move());
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
  const storage = join(dirname(peer.socketPath), 'data');
  const cli = { name: 'podman', version, storage, base, environment, pullFlags, pid };
  return await contenderOf(cli, undo.move());
}

/** The pid of the program that serves a socket: it has the path on its command line. */
function processOf(socketPath: string, program: string): number {
  const [found] = processesWith((words) => isNamed(words, program) && has(words, socketPath));
  if (found === undefined) throw new Error(`no ${program} serves ${socketPath}`);
  return found;
}

const isNamed = (words: readonly string[], program: string) => words[0]?.endsWith(program) === true;
const has = (words: readonly string[], text: string) => words.some((word) => word.includes(text));

/** The pids of processes by what stands on their command lines. */
function processesWith(test: (words: readonly string[], pid: number) => boolean): readonly number[] {
  return globSync('/proc/[0-9]*/cmdline')
    .map((path) => Number(path.split('/')[2]))
    .filter((pid) =>
      test(unlessEnded(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))?.split('\0') ?? [], pid),
    );
}

const namespaceOf = (pid: number) => unlessEnded(() => readlinkSync(`/proc/${pid}/ns/pid`));

function unlessEnded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

export const contenders = { berth, dockerd, podman } as const;

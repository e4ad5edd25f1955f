import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Client, createClient, parseHost } from '../../engine/client/index.ts';
import { busyboxImage, pushImage } from './images.ts';
import { startRegistry } from './registry.ts';
import { type TempRoot, tempRoot } from './temp.ts';

/** Berth's own engine, with a root, a socket and a bridge of its own. */
export type TestEngine = AsyncDisposable & {
  readonly name: 'berth';
  /** `unix:///…`, for BERTH_HOST and `--host`. */
  readonly host: string;
  readonly socketPath: string;
  /** Its root directory, and the one for what a reboot takes away. */
  readonly root: string;
  readonly runDir: string;
  readonly client: Client;
  readonly pid: () => number;
  /** It shares this machine's loopback: there is nothing to do. For what is written for any peer. */
  readonly reachPort: (port: number) => Promise<void>;
  /** Ends it as nothing can be prepared for: SIGKILL, awaited. */
  readonly kill: () => Promise<void>;
  /** Tells it to end, and waits until it has. */
  readonly stop: () => Promise<void>;
  /** Starts it again on the same state. */
  readonly start: () => Promise<void>;
};

export type EngineOptions = {
  /** Pull busybox as `busybox:latest`, from a registry that is this engine's mirror of Docker Hub. Default true. */
  readonly busybox?: boolean;
  /** A module to load before the engine's own. */
  readonly preload?: string;
  /**
   * Run what users run, `dist/engine.cjs`, which starts in half the processor's time, and not the source as it stands.
   * Default: in `npm test`, which builds it first.
   */
  readonly bundled?: boolean;
  /** Its root is a file system (ext4) of so many bytes, to fill it. */
  readonly rootBytes?: number;
  /** Its host is a network namespace with a loopback and nothing else; this one where it is not given. */
  readonly ownNetwork?: boolean;
  /** What is added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told where its run directory will be, before it is started for the first time. */
  readonly beforeStart?: (places: { readonly runDir: string }) => void;
  /** What stands in its settings file, beside the mirror. */
  readonly settings?: {
    readonly registries?: object;
    readonly registry?: object;
    readonly layers?: object;
    readonly network?: object;
  };
};

const SOURCE = fileURLToPath(new URL('../../engine/daemon/main.ts', import.meta.url));
const BUNDLE = fileURLToPath(new URL('../../dist/engine.cjs', import.meta.url));

/** Starts an engine and waits until it serves. Disposing removes its containers and all it made. */
export async function startEngine(options: EngineOptions = {}): Promise<TestEngine> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('engine'));
  if (options.rootBytes !== undefined) undo.defer(mountOfSize(root, options.rootBytes));
  const registry = options.busybox === false ? undefined : undo.use(await startRegistry());
  const mirrors = registry === undefined ? [] : [registry.url];
  const settings = { ...options.settings, registries: { mirrors, ...options.settings?.registries } };
  await writeFile(root.join('settings.json'), JSON.stringify(settings));
  const socketPath = root.join('api.sock');
  const host = `unix://${socketPath}`;
  const client = createClient(parseHost(host));
  const args = [
    '--host',
    host,
    '--root',
    root.join('root'),
    '--run',
    root.join('run'),
    '--settings',
    root.join('settings.json'),
  ];
  let child: ChildProcess | undefined;

  const start = async () => {
    child = await launch(args, options);
  };
  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    if (ending === undefined) return;
    child = undefined;
    const exited = once(ending, 'exit');
    if (ending.exitCode === null && ending.signalCode === null) {
      ending.kill(signal);
      await exited;
    }
  };

  undo.defer(async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) await start();
    const containers = await client.call('containerList', { all: true });
    await Promise.all(containers.map(({ Id }) => client.act('containerRemove', { id: Id, force: true })));
    client.close();
    await end('SIGTERM');
  });
  options.beforeStart?.({ runDir: root.join('run') });
  await start();
  if (registry !== undefined) {
    await pushImage({ registry, name: 'library/busybox', tag: 'latest', ...(await busyboxImage()) });
    for await (const _line of client.lines('imagePull', { fromImage: 'busybox', tag: 'latest' }));
  }
  const kept = undo.move();
  return {
    name: 'berth',
    host,
    socketPath,
    root: root.join('root'),
    runDir: root.join('run'),
    client,
    pid: () => child?.pid ?? 0,
    reachPort: async () => undefined,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    start,
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}

/** Mounts a new file system at the engine's root; gives what unmounts it. */
function mountOfSize(root: TempRoot, bytes: number): () => void {
  const [image, target] = [root.join('disk'), root.join('root')];
  mkdirSync(target);
  writeFileSync(image, '');
  truncateSync(image, bytes);
  execFileSync('mkfs.ext4', ['-q', '-m', '0', image]);
  execFileSync('mount', ['-o', 'loop', image, target]);
  return () => void execFileSync('umount', [target]);
}

/** Starts the process and waits for the line that says it serves. Throws its last words where it ends instead. */
async function launch(
  args: readonly string[],
  { preload, env, ownNetwork = false, bundled = process.env.BERTH_TEST_RUN !== undefined }: EngineOptions,
): Promise<ChildProcess> {
  const first = preload === undefined ? [] : ['--import', preload];
  const engine = [process.execPath, ...first, bundled ? BUNDLE : SOURCE, ...args];
  // Both end by executing the engine, which so has the process that is known here.
  const inside = ['unshare', '--net', 'sh', '-ec', 'ip link set lo up; exec "$@"', 'sh'];
  const [program = '', ...parts] = ownNetwork ? [...inside, ...engine] : engine;
  const child = spawn(program, parts, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let words = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      words += chunk.toString('utf8');
      if (/ serving unix:/.test(words)) resolve();
    });
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the engine ended with ${signal ?? code}: ${words}`)),
    );
  });
  child.stderr.resume();
  return child;
}

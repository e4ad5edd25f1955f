import { globSync, readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import type { Digest } from '../../engine/api/digest.ts';
import type { CreateContainerBody } from '../../engine/api/wire.ts';
import { type ContainersOptions, openContainers } from '../../engine/containers/containers.ts';
import type { Containers } from '../../engine/containers/types.ts';
import { engineSuffix } from '../../engine/daemon/options.ts';
import { openEvents } from '../../engine/events/log.ts';
import { findProgram } from '../../engine/host/programs.ts';
import type { NewLocalImage, StoredImage } from '../../engine/images/types.ts';
import { openNetworks } from '../../engine/networks/networks.ts';
import { detectCgroups, removeCgroup } from '../../engine/runtime/cgroups.ts';
import { openRuntime } from '../../engine/runtime/oci.ts';
import { openDatabase } from '../../engine/state/database.ts';
import { openVolumes } from '../../engine/volumes/volumes.ts';
import { tempRoot } from './temp.ts';

/** The container side of an engine without its server, on a root file system made of busybox: for faults at its edges. */
export type TestContainers = AsyncDisposable & {
  readonly root: string;
  readonly containers: Containers & { close(): void };
  /** What of mounts, namespaces, bundles and runtime records there is now. */
  readonly left: () => readonly string[];
  /** Opens the same state again, as the next start of the engine does. */
  readonly reopen: () => Promise<Containers & { close(): void }>;
  /** Creates, starts and waits; gives the exit code and what was written to both streams. */
  readonly run: (
    body: Partial<CreateContainerBody>,
  ) => Promise<{ readonly id: string; readonly exitCode: number; readonly output: string }>;
};

/** Reads a layer to its end, as an image store does. */
async function consumed(layer: NewLocalImage['layer']): Promise<Digest> {
  for await (const _chunk of layer);
  return `sha256:${'1'.repeat(64)}`;
}

const IMAGE: StoredImage = {
  id: `sha256:${'0'.repeat(64)}`,
  config: { Cmd: ['sh'] },
  os: 'linux',
  architecture: 'amd64',
  layers: [],
  sizeBytes: 2 ** 20,
};

/** `change` may put faults into the parts before they are composed. */
export async function openTestContainers(
  change: (parts: ContainersOptions) => ContainersOptions = (parts) => parts,
): Promise<TestContainers> {
  await using undo = new AsyncDisposableStack();
  const root = undo.use(await tempRoot('containers'));
  const layer = await busyboxLayer(root.join('layer'));
  const runDir = await root.directory('run');
  const suffix = engineSuffix(root.path);
  const database = openDatabase(root.join('db'));
  undo.defer(() => database.close());
  const cgroups = detectCgroups();
  const cgroupParent = `/berth-${suffix}`;
  const conmon = (await findProgram('conmon')) ?? '';
  const compose = async () => {
    const networks = openNetworks(database, { bridge: `berth-${suffix}` });
    const runtime = await openRuntime({
      stateDir: root.join('run', 'runtime'),
      runDir,
      cgroups,
      cgroupParent,
    });
    const images = {
      resolve: () => IMAGE,
      lowerDirs: async () => [layer],
      make: async ({ layer }: NewLocalImage) => await consumed(layer),
    };
    const volumes = openVolumes({
      root: root.join('volumes'),
      database,
      onEvent: () => undefined,
      warn: () => undefined,
    });
    const parts = {
      root: root.path,
      runDir,
      cgroups,
      cgroupParent,
      images,
      networks,
      volumes,
      runtime,
      conmon,
      database,
    };
    const containers = await openContainers(
      change({ ...parts, events: openEvents(database), warn: () => undefined }),
    );
    isClosed = false;
    const close = () => {
      isClosed = true;
      containers.close();
    };
    return { networks, containers: { ...containers, close } };
  };
  let isClosed = false;
  let current = await compose();
  const reopen = async () => {
    current.containers.close();
    current.networks.leave();
    current = await compose();
    return current.containers;
  };
  undo.defer(async () => {
    // Closed containers never see an end. Those that are open stay: a restart of theirs would go on beside the new ones.
    if (isClosed) await reopen();
    for (const { Id } of await current.containers.list({ all: true }))
      await current.containers.remove(Id, { force: true });
    current.containers.close();
    await current.networks.close();
    removeCgroup(cgroupParent);
  });
  const kept = undo.move();
  return {
    root: root.path,
    get containers() {
      return current.containers;
    },
    left: () => leftovers(root.path),
    reopen,
    async run(body) {
      const { Id: id } = await current.containers.create({ Image: 'busybox', ...body }, {});
      const attached = current.containers.attach(id, { stdout: true, stderr: true, stream: true });
      const output: string[] = [];
      const reading = (async () => {
        for await (const { data } of attached.output) output.push(data.toString());
      })();
      try {
        await current.containers.start(id);
        const { StatusCode } = await current.containers.wait(id, 'not-running', AbortSignal.timeout(30_000));
        await reading;
        return { id, exitCode: StatusCode, output: output.join('') };
      } finally {
        attached.close();
      }
    },
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  };
}

async function busyboxLayer(path: string): Promise<string> {
  for (const directory of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    await mkdir(`${path}/${directory}`, { recursive: true });
  await copyFile('/bin/busybox', `${path}/bin/busybox`);
  for (const applet of ['cat', 'echo', 'id', 'ip', 'sh', 'sleep', 'stty', 'true'])
    await symlink('busybox', `${path}/bin/${applet}`);
  return path;
}

function leftovers(root: string): readonly string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ').slice(1, 2))
    .filter((target) => target.startsWith(root));
  const below = (directory: string) =>
    names(`${root}/run/${directory}`).map((name) => `${directory}/${name}`);
  const cgroups = globSync(`/sys/fs/cgroup/{,*/}berth-${engineSuffix(root)}/*/`);
  return [...mounts, ...cgroups, ...below('containers'), ...below('exits'), ...below('runtime')];
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

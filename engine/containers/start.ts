import { mkdirSync } from 'node:fs';
import { mkdir, rm, unlink } from 'node:fs/promises';
import { type BerthError, isErrno, toBerthError } from '../api/errors.ts';
import { identifyProcess } from '../host/processes.ts';
import { mount, unmountAside } from '../host/syscalls.ts';
import type { Identity } from '../networks/types.ts';
import { openInput } from '../runtime/input.ts';
import { createMonitored, resizeTerminal } from '../runtime/monitor.ts';
import { makeRealtimeRoom } from '../runtime/realtime.ts';
import { type JoinedNetwork, writeBundle } from './bundle.ts';
import { cgroupPathOf } from './cgroup-path.ts';
import { type ContainerPaths, type Context, pathsOf } from './context.ts';
import { lowerLayers } from './init-layer.ts';
import { updateLinked } from './links.ts';
import { holdVolumes } from './mounts/volumes.ts';
import { recordNetwork } from './network-events.ts';
import { portWishes } from './ports.ts';
import { type ContainerRecord, lastEnding } from './record.ts';
import { joinNetwork, networkOwner, shmBytes } from './sharing.ts';

/** What a shell answers for a command that can't be executed, and for one that isn't there. */
const EXIT_NOT_EXECUTABLE = 126;
const EXIT_NOT_FOUND = 127;
const EXIT_ENGINE_FAILED = 128;

/**
 * Steps 3 to 5 of a run: writable layer, network, process. Each step can be undone, and one that fails undoes
 * those before it. The caller holds the record (`exclusively`).
 */
export async function startContainer(context: Context, record: ContainerRecord): Promise<void> {
  const paths = pathsOf(context, record.id);
  try {
    await using undo = new AsyncDisposableStack();
    await mountRootfs(context, record, paths, undo);
    await mkdir(paths.bundle, { recursive: true, mode: 0o700 });
    undo.defer(() => rm(paths.bundle, { recursive: true, force: true }));
    mountSharedMemory(record, paths, undo);
    await holdVolumes(context, record, undo);
    const network = await connectNetwork(context, record, paths, undo);
    const { sharesMounts } = await writeBundle(context, record, network);
    const pid = await createProcess(context, record, { paths, sharesMounts }, undo);
    await resizeToConsole(record, paths);
    connectWaitingInputs(record, paths);
    const process = identifyProcess(pid);
    // Before its first instruction: logs since this moment are all that this run wrote.
    const startedAt = new Date().toISOString();
    await context.runtime.start(record.id);
    context.store.saveLife(record, {
      status: 'running',
      // One that has ended already is found by its exit file.
      process: process ?? { pid, startedAt: '' },
      startedAt,
      finishedAt: lastEnding(record.life)?.finishedAt,
    });
    undo.move();
  } catch (thrown) {
    const error = toBerthError(thrown);
    noteFailure(context, record, error);
    throw error;
  }
  await updateLinked(context, record);
  context.record(record, 'start');
}

async function mountRootfs(
  context: Context,
  record: ContainerRecord,
  paths: ContainerPaths,
  undo: AsyncDisposableStack,
): Promise<void> {
  const lower = await lowerLayers(context, record);
  await Promise.all([paths.upper, paths.work, paths.rootfs].map((path) => mkdir(path, { recursive: true })));
  mount({
    source: 'overlay',
    target: paths.rootfs,
    type: 'overlay',
    // Off, whatever this kernel's defaults are: a commit packs the upper directory, which has to be whole.
    data: `lowerdir=${lower.join(':')},upperdir=${paths.upper},workdir=${paths.work},redirect_dir=off,metacopy=off`,
  });
  undo.defer(() => unmountAside(paths.rootfs, { detach: true }));
}

/** A /dev/shm that other containers may share is the host's file system, and bound into each of them. */
function mountSharedMemory(
  { hostConfig }: ContainerRecord,
  paths: ContainerPaths,
  undo: AsyncDisposableStack,
): void {
  if (hostConfig.IpcMode !== 'shareable') return;
  mkdirSync(paths.shm, { recursive: true });
  mount({
    source: 'shm',
    target: paths.shm,
    type: 'tmpfs',
    flags: ['nosuid', 'nodev', 'noexec'],
    data: `mode=1777,size=${shmBytes(hostConfig)}`,
  });
  undo.defer(() => unmountAside(paths.shm, { detach: true }));
}

/** A network of its own, or that of another container. */
async function connectNetwork(
  context: Context,
  record: ContainerRecord,
  paths: ContainerPaths,
  undo: AsyncDisposableStack,
): Promise<JoinedNetwork> {
  const owner = networkOwner(context.store, record);
  if (owner !== record) return { owner, namespace: joinNetwork(owner) };
  const { namespace } = await context.networks.start({
    containerId: record.id,
    path: paths.netns,
    identity: identityOf(record),
    ports: portWishes(record),
  });
  recordNetwork(context, record, 'connect');
  undo.defer(async () => {
    await context.networks.stop(record.id, paths.netns);
    recordNetwork(context, record, 'disconnect');
  });
  return { owner, namespace: namespace === undefined ? 'host' : { path: namespace } };
}

/** Under which names others know it, and whom it asks for theirs. */
export function identityOf({ name, config, hostConfig }: ContainerRecord): Identity {
  return { name, hostname: config.Hostname ?? '', nameServers: hostConfig.Dns ?? [] };
}

async function createProcess(
  context: Context,
  record: ContainerRecord,
  { paths, sharesMounts }: { readonly paths: ContainerPaths; readonly sharesMounts: boolean },
  undo: AsyncDisposableStack,
): Promise<number> {
  const { id, config } = record;
  undo.defer(async () => {
    await context.runtime.remove(id, cgroupPathOf(context, record));
    await unlinkIfThere(paths.exit);
  });
  // One that an earlier run's monitor wrote late would end this run.
  await unlinkIfThere(paths.exit);
  const { CpuRealtimeRuntime = 0, CpuRealtimePeriod = 0 } = record.hostConfig;
  makeRealtimeRoom(cgroupPathOf(context, record), {
    runtimeUs: CpuRealtimeRuntime,
    periodUs: CpuRealtimePeriod,
  });
  return await createMonitored(context.conmon, context.runtime, {
    id,
    sharesMounts,
    program: config.Entrypoint?.[0] ?? config.Cmd?.[0] ?? '',
    bundle: paths.bundle,
    log: paths.log,
    exitDir: paths.exitDir,
    tty: config.Tty === true,
    stdin: config.OpenStdin === true,
    keepStdin: config.StdinOnce !== true,
  });
}

/** A client that knows its window's size before the start says it in the body: the first screen is right then. */
async function resizeToConsole(record: ContainerRecord, paths: ContainerPaths): Promise<void> {
  const [rows, columns] = (record.hostConfig.ConsoleSize as readonly number[] | undefined) ?? [];
  if (record.config.Tty !== true || !rows || !columns) return;
  await resizeTerminal(paths.bundle, { rows, columns });
}

/** Gives the clients that attached before the start their way to the container's input. */
function connectWaitingInputs(record: ContainerRecord, paths: ContainerPaths): void {
  for (const waiting of record.waitingInputs) waiting.pipe(openInput(paths.bundle).stream);
  record.waitingInputs.clear();
}

/** A container that could not start keeps why, as docker's does: `inspect` shows it. */
function noteFailure(context: Context, record: ContainerRecord, error: BerthError): void {
  const exitCode = /executable file not found/.test(error.message)
    ? EXIT_NOT_FOUND
    : /permission denied/.test(error.message)
      ? EXIT_NOT_EXECUTABLE
      : EXIT_ENGINE_FAILED;
  const { life } = record;
  if (life.status === 'created') {
    context.store.saveLife(record, { status: 'created', exitCode, error: error.message });
  } else if (life.status === 'exited') {
    const code = exitCode === EXIT_ENGINE_FAILED && life.exitCode !== 0 ? life.exitCode : exitCode;
    context.store.saveLife(record, { ...life, exitCode: code, error: error.message });
  }
}

export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

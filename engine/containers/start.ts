import { mkdir, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BerthError, isErrno, toBerthError } from '../api/errors.ts';
import { identifyProcess } from '../host/processes.ts';
import { makeDirInRoot } from '../host/rooted.ts';
import { mount, unmount } from '../host/syscalls.ts';
import type { Connection, NetworkMode } from '../networks/types.ts';
import { openInput } from '../runtime/input.ts';
import { createMonitored, resizeTerminal } from '../runtime/monitor.ts';
import { buildSpec } from '../runtime/spec.ts';
import { resolveUser } from '../runtime/users.ts';
import { parseBind, prepareBind } from './binds.ts';
import { type ContainerPaths, type Context, pathsOf } from './context.ts';
import { writeNetworkFiles } from './files.ts';
import { recordNetwork } from './network-events.ts';
import type { ContainerRecord } from './record.ts';

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
    const mode = record.hostConfig.NetworkMode as NetworkMode;
    await mkdir(paths.bundle, { recursive: true, mode: 0o700 });
    undo.defer(() => rm(paths.bundle, { recursive: true, force: true }));
    const connection = await context.networks.connect({ containerId: record.id, mode, path: paths.netns });
    undo.defer(() => context.networks.disconnect(record.id, paths.netns));
    await writeBundle(context, record, paths, connection);
    const pid = await createProcess(context, record, paths, undo);
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
    });
    undo.move();
  } catch (thrown) {
    const error = toBerthError(thrown);
    noteFailure(context, record, error);
    throw error;
  }
  recordNetwork(context, record, 'connect');
  context.record(record, 'start');
}

async function mountRootfs(
  context: Context,
  record: ContainerRecord,
  paths: ContainerPaths,
  undo: AsyncDisposableStack,
): Promise<void> {
  const lower = await context.images.lowerDirs(context.images.resolve(record.imageId));
  await Promise.all([paths.upper, paths.work, paths.rootfs].map((path) => mkdir(path, { recursive: true })));
  mount({
    source: 'overlay',
    target: paths.rootfs,
    type: 'overlay',
    data: `lowerdir=${lower.join(':')},upperdir=${paths.upper},workdir=${paths.work}`,
  });
  undo.defer(() => unmount(paths.rootfs, { detach: true }));
}

async function writeBundle(
  context: Context,
  record: ContainerRecord,
  paths: ContainerPaths,
  connection: Connection,
): Promise<void> {
  const { config, hostConfig } = record;
  const hostname = config.Hostname ?? '';
  const user = await resolveUser(paths.rootfs, config.User ?? '');
  if (config.WorkingDir) await makeDirInRoot(paths.rootfs, config.WorkingDir);
  const mode = hostConfig.NetworkMode as NetworkMode;
  const gateway = context.networks.endpointsOf(record.id, mode)[mode]?.Gateway || undefined;
  await writeNetworkFiles(paths, { hostname, address: connection.address, gateway, mode, hostConfig });
  const spec = buildSpec({
    rootfs: paths.rootfs,
    hostname,
    args: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    config,
    hostConfig,
    user,
    netns: connection.namespace,
    cgroups: context.cgroups,
    cgroupsPath: `${context.cgroupParent}/${record.id}`,
    binds: [
      { source: paths.resolvConf, destination: '/etc/resolv.conf', readOnly: false },
      { source: paths.hostname, destination: '/etc/hostname', readOnly: false },
      { source: paths.hosts, destination: '/etc/hosts', readOnly: false },
      ...(hostConfig.Binds ?? []).map((bind) => prepareBind(parseBind(bind))),
    ],
  });
  await writeFile(join(paths.bundle, 'config.json'), JSON.stringify(spec));
}

async function createProcess(
  context: Context,
  record: ContainerRecord,
  paths: ContainerPaths,
  undo: AsyncDisposableStack,
): Promise<number> {
  const { id, config } = record;
  undo.defer(async () => {
    await context.runtime.remove(id);
    await unlinkIfThere(paths.exit);
  });
  // One that an earlier run's monitor wrote late would end this run.
  await unlinkIfThere(paths.exit);
  return await createMonitored(context.conmon, context.runtime, {
    id,
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

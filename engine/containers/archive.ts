import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { BerthError, isErrno } from '../api/errors.ts';
import type { ByteStream } from '../api/operations.ts';
import type { Change, PathStat } from '../api/wire/archives.ts';
import type { View } from '../archives/protocol.ts';
import { extractInto, listChanges, type Packed, packPath, packTree, statPath } from '../archives/thread.ts';
import { decompressed } from '../layers/decompress.ts';
import { type ContainerUser, findUser } from '../runtime/users.ts';
import { createTarReader } from '../tar/reader.ts';
import { type Context, pathsOf } from './context.ts';
import { lowerLayers } from './init-layer.ts';
import { seenVolumes } from './mounts/volumes.ts';
import { type ContainerRecord, exclusively } from './record.ts';

/** What goes in and out of containers, running or not. `signal` ends it when the client has gone. */
export type ArchiveApi = {
  /** Throws `notFound`, `invalid`. */
  statPath(name: string, path: string, signal: AbortSignal): Promise<PathStat>;
  /** Settles when the path is found. Throws `notFound`, `invalid`. */
  readArchive(name: string, path: string, signal: AbortSignal): Promise<Packed>;
  /** Throws `notFound`, `invalid`, `forbidden` where it is read-only. */
  writeArchive(
    name: string,
    options: {
      readonly path: string;
      readonly noOverwriteDirNonDir?: boolean | undefined;
      readonly copyUidGid?: boolean | undefined;
    },
    source: ByteStream,
    signal: AbortSignal,
  ): Promise<void>;
  changes(name: string, signal: AbortSignal): Promise<readonly Change[]>;
  exportTree(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
};

/** A passwd or group file longer than this is not read. */
const MAX_FILE_BYTES = 4 * 2 ** 20;

export function containerArchives(context: Context): ArchiveApi {
  const { store } = context;

  return {
    statPath: async (name, path, signal) => {
      const record = store.find(name);
      return await onView(record, signal, (view) => named(name, statPath(view, latin1(path), signal)));
    },

    readArchive: async (name, path, signal) => {
      const record = store.find(name);
      const packed = await onView(record, signal, (view) =>
        named(name, packPath(view, latin1(path), signal)),
      );
      context.record(record, 'archive-path', { path });
      return packed;
    },

    writeArchive: async (name, options, source, signal) => {
      const record = store.find(name);
      const put = async (view: View) => {
        const user = options.copyUidGid === true ? await userOf(record, view, signal) : undefined;
        const extract = {
          path: latin1(`/${options.path}`),
          keepKinds: options.noOverwriteDirNonDir === true,
          owner: user,
          readOnlyRoot: record.hostConfig.ReadonlyRootfs === true,
        };
        await named(name, extractInto(view, extract, decompressed(source), signal));
      };
      // One that stands still must not be started on layers that are being written to.
      if ('process' in record.life) await onView(record, signal, put);
      else await exclusively(record, () => onSeen(record, 'write', put));
      context.record(record, 'extract-to-dir', { path: options.path });
    },

    changes: async (name, signal) => {
      const record = store.find(name);
      const { upper } = pathsOf(context, record.id);
      if (!existsSync(upper)) return [];
      const lower = {
        ...(await stoppedView(record, 'read')),
        lower: await lowerLayers(context, record),
        binds: [],
      };
      return await listChanges(upper, lower, signal);
    },

    exportTree: async (name, signal) => {
      const record = store.find(name);
      const { rootfs } = pathsOf(context, record.id);
      // Mounted for as long as it runs, and without what the container has mounted on it.
      const view: View =
        'process' in record.life
          ? { kind: 'directory', path: rootfs }
          : { ...(await stoppedView(record, 'read')), binds: [] };
      context.record(record, 'export');
      return packTree(view, signal);
    },
  };

  /** Does something with a container's files as they are seen now, and once more where it ended meanwhile. */
  async function onView<T>(
    record: ContainerRecord,
    signal: AbortSignal,
    work: (view: View) => Promise<T>,
  ): Promise<T> {
    const ended = record.exit.promise;
    try {
      return await onSeen(record, 'read', work);
    } catch (error) {
      if (!(error instanceof BerthError) || error.code !== 'conflict' || signal.aborted) throw error;
      await ended;
      return await onSeen(record, 'read', work);
    }
  }

  async function onSeen<T>(
    record: ContainerRecord,
    access: 'read' | 'write',
    work: (view: View) => Promise<T>,
  ): Promise<T> {
    if ('process' in record.life) return await work(processView(record));
    const view = await stoppedView(record, access);
    // Until the thread has them in a namespace of its own.
    using volumes = await seenVolumes(context, record);
    return await work({ ...view, binds: [...view.binds, ...volumes.binds] });
  }

  async function stoppedView(
    record: ContainerRecord,
    access: 'read' | 'write',
  ): Promise<Extract<View, { kind: 'overlay' }>> {
    if (record.life.status === 'removing' || record.life.status === 'dead')
      throw new BerthError('conflict', `container ${record.id} is being removed`);
    const paths = pathsOf(context, record.id);
    const layers = await lowerLayers(context, record);
    await mkdir(paths.view, { recursive: true });
    const at = paths.view;
    const binds = seenBinds(record, paths);
    if (access === 'read')
      return {
        kind: 'overlay',
        lower: existsSync(paths.upper) ? [paths.upper, ...layers] : layers,
        at,
        binds,
      };
    await Promise.all([paths.upper, paths.work].map((path) => mkdir(path, { recursive: true })));
    return { kind: 'overlay', lower: layers, upper: { directory: paths.upper, work: paths.work }, at, binds };
  }
}

function processView({ life }: ContainerRecord): View {
  if (!('process' in life)) throw new BerthError('conflict', 'the container has ended');
  return { kind: 'process', ...life.process };
}

/** What a container sees of the host's files: its own network files, and its binds. */
function seenBinds(record: ContainerRecord, paths: ReturnType<typeof pathsOf>) {
  return [
    { source: paths.resolvConf, destination: '/etc/resolv.conf', readOnly: false },
    { source: paths.hostname, destination: '/etc/hostname', readOnly: false },
    { source: paths.hosts, destination: '/etc/hosts', readOnly: false },
    ...record.mounts.flatMap((mount) => (mount.type === 'bind' ? [mount] : [])),
  ];
}

/** Whom what is put into a container belongs to, where it is to be its own user; nobody in particular for root. */
async function userOf(
  record: ContainerRecord,
  view: View,
  signal: AbortSignal,
): Promise<Pick<ContainerUser, 'uid' | 'gid'> | undefined> {
  const { User: user = '' } = record.config;
  if (user === '') return undefined;
  const { uid, gid } = await findUser((path) => readText(view, path, signal), user);
  return { uid, gid };
}

/** A small text file among a container's; undefined where there is none. */
async function readText(view: View, path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { stat, archive } = await packPath(view, `${path}`, signal);
    if (stat.size > MAX_FILE_BYTES) return undefined;
    const pieces: Buffer[] = [];
    const reader = createTarReader({
      entry: () => {},
      data: (piece) => void pieces.push(Buffer.from(piece)),
      end: () => {},
    });
    for await (const chunk of archive) reader.push(Buffer.from(chunk));
    return Buffer.concat(pieces).toString();
  } catch (error) {
    if (error instanceof BerthError && ['notFound', 'invalid'].includes(error.code)) return undefined;
    throw error;
  }
}

/** Says of which container a path was looked for in vain. */
async function named<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BerthError && error.code === 'notFound')
      throw new BerthError('notFound', `${error.message} in container ${name}`, { cause: error });
    if (isErrno(error, 'ENOSPC') || isErrno(error, 'EDQUOT'))
      throw new BerthError('unavailable', 'no space left on the disk', { cause: error });
    throw error;
  }
}

/** A path as the thread takes it: a character for each byte. */
const latin1 = (path: string) => Buffer.from(path).toString('latin1');

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';
import { unmount } from '../host/syscalls.ts';
import { allOf } from './all-of.ts';
import { checkLayer } from './check.ts';
import { archiveLength } from './erofs/keep.ts';
import { mountIndex } from './erofs/mounts.ts';
import { ARCHIVE, INDEX, TREE } from './paths.ts';
import { createSlots } from './slots.ts';
import { prepareThread } from './spare-thread.ts';
import { takeInThread } from './thread.ts';
import {
  defaultLayerLimits,
  type LayerId,
  type LayerKind,
  type LayerLimits,
  type LayerStore,
} from './types.ts';

/** One connection alone seldom fills a line. */
const MIN_AT_WORK = 2;
/** More only take turns on the processors and the disk, and each takes some 30 MB of memory. */
const MAX_AT_WORK = 4;
const LAYER_NAME = /^[1-9]\d*$/;

/**
 * Layers below `root`, each in a directory that has its number. What is being taken in is in `new-…`, what is being
 * removed in `gone-…`, so that a number is always a whole layer. Each says by what is in it how it is kept.
 */
export function openLayers(
  root: string,
  options: { readonly kind: LayerKind; readonly limits?: LayerLimits },
): LayerStore {
  const { kind, limits = defaultLayerLimits } = options;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  let lastId = readdirSync(root)
    .map((name) => Number(/^(?:gone-)?(\d+)$/.exec(name)?.[1] ?? 0))
    .reduce((most, id) => Math.max(most, id), 0);
  let count = 0;
  const slots = createSlots(Math.max(MIN_AT_WORK, Math.min(MAX_AT_WORK, availableParallelism())));
  /** Layers whose index is mounted, by this engine or by one before it. */
  const mounted = new Set<LayerId>();
  const directoryOf = (id: LayerId) => join(root, String(id));
  const clear = async (path: string) => await rm(path, { recursive: true, force: true, maxRetries: 3 });

  const lost = (id: LayerId) =>
    new BerthError('internal', `the layer in ${directoryOf(id)} is lost`, {
      hint: 'remove the image and pull it again',
    });

  const readyTree = async (id: LayerId): Promise<string> => {
    const directory = directoryOf(id);
    const tree = join(directory, TREE);
    if (mounted.has(id)) return tree;
    const found = await stat(tree).catch((error: unknown) => error);
    if (isErrno(found, 'ENOENT')) throw lost(id);
    // Nobody may come between the question and the mount.
    if (!existsSync(join(directory, INDEX)) || mounted.has(id)) return tree;
    mountIndex(directory, kind === 'erofs-loop' ? 'erofs-loop' : 'erofs');
    mounted.add(id);
    return tree;
  };

  const takeOff = (path: string) => {
    try {
      unmount(path, { detach: true });
    } catch (error) {
      // Nothing is mounted there, or nothing is there.
      if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) throw error;
    }
  };

  const place = async (begun: string, id: LayerId) => {
    await syncDirectory(begun);
    await rename(begun, directoryOf(id));
    await syncDirectory(root);
  };

  return {
    kind,
    prepare: prepareThread,
    apply: async (request) => {
      using _ = await slots.take(request.signal);
      count += 1;
      const begun = join(root, `new-${count}`);
      try {
        await clear(begun);
        await mkdir(begun, { mode: 0o755 });
        const sizeBytes = await takeInThread(request, {
          target: begun,
          unpack: kind === 'directories',
          limits,
        });
        lastId += 1;
        const id = lastId;
        try {
          // Neither waits for the other's turn at the disk.
          await allOf([place(begun, id), request.keep?.()]);
        } catch (error) {
          await clear(directoryOf(id));
          throw error;
        }
        return { id, sizeBytes };
      } catch (error) {
        await clear(begun);
        throw error;
      }
    },
    directories: async (ids) => {
      const trees: string[] = [];
      for (const id of ids) trees.push(await readyTree(id));
      return trees;
    },
    archive: async (id) => {
      const directory = directoryOf(id);
      if (!existsSync(join(directory, INDEX))) {
        if (existsSync(join(directory, TREE))) return undefined;
        throw lost(id);
      }
      const sizeBytes = archiveLength(directory);
      if (sizeBytes === undefined) throw lost(id);
      return { path: join(directory, ARCHIVE), sizeBytes };
    },
    pathOf: directoryOf,
    check: async (id, check) => {
      using _ = await slots.take(check.signal);
      count += 1;
      return await checkLayer(directoryOf(id), { ...check, scratch: join(root, `new-${count}`), limits });
    },
    list: async () => {
      const names = (await readdir(root)).filter((name) => LAYER_NAME.test(name));
      return await Promise.all(
        names.map(async (name) => {
          const path = join(root, name);
          return { id: Number(name), path, changedMs: (await stat(path)).ctimeMs };
        }),
      );
    },
    remove: async (id) => {
      const gone = join(root, `gone-${id}`);
      takeOff(join(directoryOf(id), TREE));
      mounted.delete(id);
      try {
        await rename(directoryOf(id), gone);
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error;
      }
      await clear(gone);
    },
    recover: async (keep) => {
      mounted.clear();
      for (const { name, path } of mountsBelow(root)) {
        if (LAYER_NAME.test(name) && keep.has(Number(name))) mounted.add(Number(name));
        else takeOff(path);
      }
      for (const name of await readdir(root)) {
        if (!LAYER_NAME.test(name) || !keep.has(Number(name))) await clear(join(root, name));
      }
    },
    close: () => {
      for (const id of mounted) takeOff(join(directoryOf(id), TREE));
      mounted.clear();
    },
  };
}

/** What is mounted in layers' directories: proc_pid_mountinfo(5). Paths with other characters are not the engine's. */
function mountsBelow(root: string): readonly { readonly name: string; readonly path: string }[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const path = line.split(' ')[4] ?? '';
      if (!path.startsWith(`${root}/`)) return [];
      return [{ name: path.slice(root.length + 1).split('/')[0] ?? '', path }];
    });
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { BerthError, isErrno } from '../api/errors.ts';
import { makeNode, setTimes, setXattr, syncFileSystem } from '../host/syscalls.ts';
import type { Moment } from '../tar/header.ts';
import { createTarReader, type TarEntry, type TarSink } from '../tar/reader.ts';
import type { SparsePiece } from '../tar/sparse.ts';
import type { Intake } from './intake.ts';
import { AUFS, MAX_ID, OPAQUE, OVERLAY_OPAQUE, OVERLAY_XATTR, refused, WHITEOUT } from './names.ts';
import type { LayerLimits } from './types.ts';
import { blame, openTree } from './unpack-tree.ts';

/** Unpacks an archive into an empty directory. */
export function openUnpacking(directory: string, limits: LayerLimits): Intake {
  const unpacker = createUnpacker(directory, limits);
  const reader = createTarReader(unpacker, { sparse: true });
  return {
    push: reader.push,
    finish: () => {
      reader.finish();
      const result = unpacker.finish();
      // Everything at once: an fsync for each of tens of thousands of files takes minutes.
      const descriptor = openSync(directory, 'r');
      try {
        syncFileSystem(descriptor, directory);
      } finally {
        closeSync(descriptor);
      }
      return result;
    },
    [Symbol.dispose]: unpacker.abandon,
  };
}

type Unpacker = TarSink & {
  /** Sets what can be set only when all is there. Gives the bytes that the files hold. */
  readonly finish: () => { readonly sizeBytes: number };
  /** Closes the file that was being written; after a failure. */
  readonly abandon: () => void;
};

/**
 * Unpacks the entries of a layer below a directory, in overlay's format: a whiteout becomes a character device
 * 0/0, an opaque directory gets `trusted.overlay.opaque` (kernel, filesystems/overlayfs.rst). Synchronous, for
 * a thread of its own. Throws `invalid` on entries that are malformed or mean harm.
 */
function createUnpacker(root: string, options: { readonly maxEntries: number }): Unpacker {
  const umask = process.umask();
  const directories = new Map<string, Moment>();
  const whiteouts = new Set<string>();
  let entries = 0;
  let sizeBytes = 0;
  let open:
    | { readonly descriptor: number; readonly path: string; readonly entry: TarEntry; written: number }
    | undefined;

  const count = () => {
    entries += 1;
    if (entries > options.maxEntries) {
      throw new BerthError('invalid', `the layer has more than ${options.maxEntries} entries`);
    }
  };
  const makeOpaque = (path: string) => setXattr(tree.at(path), OVERLAY_OPAQUE, Buffer.from('y'));
  /** A directory that comes where a whiteout was hides what is below it, and no more than that. */
  const takeWhiteout = (path: string) => {
    if (!whiteouts.delete(path)) return false;
    tree.clear(path);
    return true;
  };
  const implied = new Set<string>();
  const tree = openTree(root, {
    made: (path) => {
      count();
      // In a directory with the setgid bit it has got that bit, and the group.
      lchownSync(tree.at(path), 0, 0);
      chmodSync(tree.at(path), 0o755);
      if (implied.delete(path)) makeOpaque(path);
    },
    replaced: (path) => {
      for (const directory of directories.keys()) {
        if (directory === path || directory.startsWith(`${path}/`)) directories.delete(directory);
      }
    },
    claim: (path) => {
      if (!takeWhiteout(path)) return false;
      implied.add(path);
      return true;
    },
  });

  /** Makes something at a path; what an earlier entry put there gives way. */
  const make = (path: string, create: () => void) => {
    try {
      create();
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      whiteouts.delete(path);
      tree.clear(path);
      create();
    }
  };

  const makeDirectory = (path: string) => {
    if (path === '') return;
    const found = tree.stat(path);
    if (found?.isDirectory() === true) return;
    const hides = takeWhiteout(path);
    if (found !== undefined && !hides) tree.clear(path);
    mkdirSync(tree.at(path));
    if (hides) makeOpaque(path);
  };

  const makeWhiteout = (parent: string, last: string) => {
    if (last === OPAQUE) return makeOpaque(parent);
    if (last.startsWith(AUFS)) return;
    const name = last.slice(WHITEOUT.length);
    if (['', '.', '..'].includes(name)) throw refused(last, 'it is a whiteout of nothing');
    const path = join(parent, name);
    const found = tree.stat(path);
    // It hides what is below this layer; what this layer has itself stays.
    if (found === undefined) {
      makeNode(tree.at(path), { type: 'character', mode: 0 });
      lchownSync(tree.at(path), 0, 0);
      whiteouts.add(path);
    } else if (found.isDirectory()) makeOpaque(path);
  };

  const makeLink = (entry: TarEntry, path: string) => {
    const target = tree.find(entry.target);
    if (tree.stat(target)?.isDirectory() === true)
      throw refused(entry.name, 'it is a hard link to a directory');
    if (target === path) return;
    make(path, () => linkSync(tree.at(target), tree.at(path)));
  };

  /** Everything but the times; owner first, since chown(2) clears setuid bits and capabilities. */
  const setAttributes = (entry: TarEntry, path: string) => {
    lchownSync(tree.at(path), entry.uid, entry.gid);
    if (entry.flag !== '2') chmodSync(tree.at(path), entry.mode);
    setXattrs(entry, path);
  };

  const setXattrs = (entry: TarEntry, path: string) => {
    for (const { name, value } of entry.xattrs) {
      // xattr(7): the user's own are for files and directories.
      if (OVERLAY_XATTR.test(name) || (name.startsWith('user.') && !'057'.includes(entry.flag))) continue;
      if (name.includes('\0')) throw refused(entry.name, 'an attribute has no proper name');
      try {
        setXattr(tree.at(path), name, value);
      } catch (error) {
        // The file system keeps none of that kind; docker and tar go on without, too.
        if (!isErrno(error, 'ENOTSUP')) throw error;
      }
    }
  };

  const startFile = (entry: TarEntry, path: string) => {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    make(path, () => {
      const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
      open = { descriptor: openSync(tree.at(path), flags, entry.mode & 0o777), path, entry, written: 0 };
      if (entry.pieces !== undefined) ftruncateSync(open.descriptor, entry.sizeBytes);
    });
    sizeBytes += entry.sizeBytes;
  };

  const describeFile = ({ descriptor, path, entry }: NonNullable<typeof open>) => {
    fchownSync(descriptor, entry.uid, entry.gid);
    if ((entry.mode & (0o7000 | umask)) !== 0) fchmodSync(descriptor, entry.mode);
    setXattrs(entry, path);
    const { seconds, nanoseconds } = entry.mtime;
    if (nanoseconds === 0 && seconds >= 0) futimesSync(descriptor, seconds, seconds);
    else setTimes(tree.at(path), entry.mtime);
  };

  const makeEntry = (entry: TarEntry) => {
    const { parent, last } = tree.place(entry.name);
    const path = join(parent, last);
    if (last.startsWith(WHITEOUT)) return makeWhiteout(parent, last);
    // Tars older than POSIX tell a directory by the slash.
    const directory = entry.flag === '5' || (entry.flag === '0' && entry.name.endsWith('/'));
    if (path === '' && !directory) throw refused(entry.name, 'it would stand in place of the root');
    if (directory) {
      makeDirectory(path);
      directories.set(path, entry.mtime);
      return setAttributes(entry, path);
    }
    if (entry.flag === '0' || entry.flag === '7') return startFile(entry, path);
    if (entry.flag === '1') return makeLink(entry, path);
    if (entry.flag === '2' && (entry.target === '' || entry.target.includes('\0')))
      throw refused(entry.name, 'its target is none');
    make(path, () => makeSpecial(entry, tree.at(path)));
    if (entry.flag === '2') sizeBytes += entry.target.length;
    setAttributes(entry, path);
    setTimes(tree.at(path), entry.mtime);
  };

  return {
    entry: (entry) => {
      count();
      for (const id of [entry.uid, entry.gid]) {
        if (id < 0 || id > MAX_ID) throw refused(entry.name, `its owner is ${entry.uid}:${entry.gid}`);
      }
      try {
        makeEntry(entry);
      } catch (error) {
        throw blame(entry.name, error);
      }
    },
    data: (piece) => {
      if (open === undefined) return;
      const { descriptor, entry } = open;
      for (let at = 0; at < piece.length; ) {
        const place = placeIn(entry.pieces, open.written);
        const size = Math.min(piece.length - at, place?.left ?? piece.length);
        const done = writeSync(descriptor, piece, at, size, place?.offset ?? null);
        at += done;
        open.written += done;
      }
    },
    end: () => {
      if (open === undefined) return;
      try {
        describeFile(open);
      } catch (error) {
        throw blame(open.entry.name, error);
      }
      closeSync(open.descriptor);
      open = undefined;
    },
    finish: () => {
      // Last: every entry made in a directory had changed its time.
      for (const [path, mtime] of directories) setTimes(tree.at(path), mtime);
      return { sizeBytes };
    },
    abandon: () => {
      if (open !== undefined) closeSync(open.descriptor);
      open = undefined;
    },
  };
}

function join(parent: string, last: string): string {
  return parent === '' ? last : `${parent}/${last}`;
}

const nodeTypes: Readonly<Record<string, 'character' | 'block' | 'fifo'>> = {
  '3': 'character',
  '4': 'block',
  '6': 'fifo',
};

function makeSpecial(entry: TarEntry, path: string | Buffer): void {
  const { flag, major, minor, mode } = entry;
  const type = nodeTypes[flag];
  if (flag === '2') symlinkSync(Buffer.from(entry.target, 'latin1'), path);
  else if (type !== undefined) makeNode(path, { type, mode, major, minor });
  else throw refused(entry.name, `its type '${flag}' is unknown`);
}

/** Where in a file with holes the next byte of its content belongs, and how many may follow it there. */
function placeIn(
  pieces: readonly SparsePiece[] | undefined,
  written: number,
): { readonly offset: number; readonly left: number } | undefined {
  let before = 0;
  for (const { offset, length } of pieces ?? []) {
    if (written < before + length)
      return { offset: offset + written - before, left: before + length - written };
    before += length;
  }
  return undefined;
}

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { BerthError, isErrno } from '../api/errors.ts';
import { makeNode, setTimes, setXattr } from '../host/syscalls.ts';
import type { Moment } from '../tar/header.ts';
import type { TarEntry, TarSink } from '../tar/reader.ts';
import { blame, openTree, refused } from './tree.ts';

/** OCI image spec, layer.md, "Whiteouts". */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** AUFS's own bookkeeping; nothing of it belongs into the tree. */
const AUFS = '.wh..wh.';
/** Overlay's bookkeeping: an archive that sets it could make one directory show another's content. */
const OVERLAY_XATTR = /^(?:trusted|user)\.overlay\./;
const OVERLAY_OPAQUE = 'trusted.overlay.opaque';
const MAX_ID = 2 ** 32 - 2;

export type Unpacker = TarSink & {
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
export function createUnpacker(root: string, options: { readonly maxEntries: number }): Unpacker {
  const umask = process.umask();
  const directories = new Map<string, Moment>();
  const whiteouts = new Set<string>();
  let entries = 0;
  let sizeBytes = 0;
  let open: { readonly descriptor: number; readonly path: string; readonly entry: TarEntry } | undefined;

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
      whiteouts.add(path);
    } else if (found.isDirectory()) makeOpaque(path);
  };

  const makeLink = (entry: TarEntry, path: string) => {
    const target = tree.find(entry.target);
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
      if (OVERLAY_XATTR.test(name)) continue;
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
      open = { descriptor: openSync(tree.at(path), flags, entry.mode & 0o777), path, entry };
    });
    sizeBytes += entry.sizeBytes;
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
      for (let at = 0; at < piece.length; ) at += writeSync(open.descriptor, piece, at);
    },
    end: () => {
      if (open === undefined) return;
      const { descriptor, path, entry } = open;
      fchownSync(descriptor, entry.uid, entry.gid);
      if ((entry.mode & (0o7000 | umask)) !== 0) fchmodSync(descriptor, entry.mode);
      setXattrs(entry, path);
      const { seconds, nanoseconds } = entry.mtime;
      if (nanoseconds === 0 && seconds >= 0) futimesSync(descriptor, seconds, seconds);
      else setTimes(tree.at(path), entry.mtime);
      open = undefined;
      closeSync(descriptor);
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

import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { BerthError, isErrno } from '../api/errors.ts';
import { entryPath, type Held, removeEntry, resolveIn, selfPath } from '../host/rooted-files.ts';
import { makeNode, setTimes, setXattr } from '../host/syscalls.ts';
import { ENTRY_ERRORS } from '../tar/entry-errors.ts';
import type { Moment } from '../tar/header.ts';
import { shown, type TarEntry, type TarSink } from '../tar/reader.ts';
import { mountIdOf } from './mounts.ts';
import type { ExtractOptions } from './protocol.ts';

/** Attributes of the engine's own overlay: none of a container's business. */
const OVERLAY_XATTR = /^(?:trusted|user)\.overlay\./;
const MAX_ID = 2 ** 32 - 2;

export type Extractor = TarSink & {
  /** Sets the times of directories, which all that was made in them had changed. */
  readonly finish: () => void;
  /** Closes what is open. */
  readonly close: () => void;
};

/**
 * Puts the entries of an archive into a directory of the tree at the open directory `root`, as dockerd does
 * (moby, pkg/archive, `Unpack`): names are taken from that directory, whatever is in the way gives way, links that are
 * part of a name are followed inside the tree. Somebody hostile may be changing the tree meanwhile: each entry's
 * directory is resolved by the kernel inside the tree, and what is made in it is made by a single name.
 *
 * Throws `notFound` where there is no such directory, `invalid` where it is none or an entry can't be, `forbidden`
 * where it can't be written to.
 */
export function createExtractor(root: number, options: ExtractOptions): Extractor {
  const directories = new Map<string, Moment>();
  let parent: (Held & { readonly path: string }) | undefined;
  let file:
    | {
        readonly descriptor: number;
        readonly directory: number;
        readonly name: string;
        readonly entry: TarEntry;
      }
    | undefined;
  openTarget(root, options)[Symbol.dispose]();

  /** The directory that an entry stands in; missing ones are made. Kept open for the entries that follow. */
  const parentOf = (components: readonly string[]): number => {
    const path = [options.path, ...components].join('/');
    if (parent?.path === path) return parent.descriptor;
    parent?.[Symbol.dispose]();
    parent = undefined;
    parent = Object.assign(openOrMake(components), { path });
    return parent.descriptor;
  };

  const openOrMake = (components: readonly string[]): Held => {
    try {
      return resolveIn(root, [options.path, ...components].join('/'), { follow: true, directory: true });
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || components.length === 0) throw error;
    }
    using above = openOrMake(components.slice(0, -1));
    const path = entryPath(above.descriptor, components.at(-1) ?? '');
    mkdirSync(path, { mode: 0o755 });
    const { uid, gid } = options.owner ?? { uid: 0, gid: 0 };
    lchownSync(path, uid, gid);
    return resolveIn(root, [options.path, ...components].join('/'), { follow: true, directory: true });
  };

  /** Takes away what is in the way of an entry. */
  const makeRoom = (entry: TarEntry, directory: number, name: string) => {
    const found = lstatSync(entryPath(directory, name), { throwIfNoEntry: false });
    if (found === undefined) return;
    const isDirectory = entry.flag === '5';
    if (options.keepKinds && found.isDirectory() !== isDirectory) {
      const [over, by] = isDirectory ? ['non-directory', 'directory'] : ['directory', 'non-directory'];
      throw refused(`cannot overwrite ${over} "${shown(entry.name)}" with ${by} "${options.path}"`);
    }
    if (!(isDirectory && found.isDirectory())) removeEntry(directory, name);
  };

  const ownerOf = (entry: TarEntry) => options.owner ?? entry;

  const setXattrs = (entry: TarEntry, path: string | Buffer) => {
    for (const { name, value } of entry.xattrs) {
      if (OVERLAY_XATTR.test(name)) continue;
      try {
        setXattr(path, name, value);
      } catch (error) {
        // The file system keeps none of that kind; docker and tar go on without, too.
        if (!isErrno(error, 'ENOTSUP')) throw error;
      }
    }
  };

  const make = (entry: TarEntry, directory: number, name: string) => {
    const path = entryPath(directory, name);
    switch (entry.flag) {
      case '5':
        if (lstatSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path);
        break;
      case '1':
        return makeLink(entry, path);
      case '2':
        symlinkSync(Buffer.from(entry.target, 'latin1'), path);
        break;
      case '3':
      case '4':
        makeNode(path, { ...entry, type: entry.flag === '3' ? 'character' : 'block' });
        break;
      case '6':
        makeNode(path, { ...entry, type: 'fifo' });
        break;
      default:
        throw refused(`'${shown(entry.name)}' is of a type that is unknown: '${entry.flag}'`);
    }
    const { uid, gid } = ownerOf(entry);
    // Owner first, since chown(2) clears setuid bits and capabilities.
    lchownSync(path, uid, gid);
    if (entry.flag !== '2') chmodHere(directory, name, entry.mode);
    setXattrs(entry, path);
    if (entry.flag === '5') directories.set(componentsOf(entry.name).join('/'), entry.mtime);
    else setTimes(path, entry.mtime);
  };

  /** A hard link to something that the archive's directory holds; its own last component is not followed. */
  const makeLink = (entry: TarEntry, path: string | Buffer) => {
    const components = componentsOf(entry.target, () =>
      refused(
        `invalid hardlink "${shown(entry.name)}" -> "${shown(entry.target)}": it leaves "${options.path}"`,
      ),
    );
    const last = components.pop();
    if (last === undefined) throw refused(`invalid hardlink "${shown(entry.name)}": it links to a directory`);
    using directory = resolveIn(root, [options.path, ...components].join('/'), {
      follow: true,
      directory: true,
    });
    linkSync(entryPath(directory.descriptor, last), path);
  };

  const startFile = (entry: TarEntry, directory: number, name: string) => {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    const descriptor = openSync(entryPath(directory, name), flags, entry.mode & 0o777);
    file = { descriptor, directory, name, entry };
  };

  return {
    entry: (entry) => {
      for (const id of [entry.uid, entry.gid])
        if (id < 0 || id > MAX_ID)
          throw refused(`'${shown(entry.name)}' belongs to ${entry.uid}:${entry.gid}`);
      const components = componentsOf(entry.name, () =>
        refused(`"${shown(entry.name)}" is outside of "${options.path}"`),
      );
      const name = components.pop();
      // The directory itself, which stays as it is.
      if (name === undefined) return;
      try {
        const directory = parentOf(components);
        makeRoom(entry, directory, name);
        if (entry.flag === '0' || entry.flag === '7') startFile(entry, directory, name);
        else make(entry, directory, name);
      } catch (error) {
        throw blame(entry, error);
      }
    },
    data: (piece) => {
      if (file === undefined) return;
      for (let at = 0; at < piece.length; ) at += writeSync(file.descriptor, piece, at);
    },
    end: () => {
      if (file === undefined) return;
      const { descriptor, entry, directory, name } = file;
      const { uid, gid } = ownerOf(entry);
      try {
        fchownSync(descriptor, uid, gid);
        fchmodSync(descriptor, entry.mode);
        setXattrs(entry, entryPath(directory, name));
        setTimes(entryPath(directory, name), entry.mtime);
      } catch (error) {
        // A container may have taken it away meanwhile.
        throw blame(entry, error);
      }
      file = undefined;
      closeSync(descriptor);
    },
    finish: () => {
      for (const [path, mtime] of [...directories].toReversed()) {
        try {
          const at = path.lastIndexOf('/');
          const above = [options.path, ...path.slice(0, Math.max(0, at)).split('/')].join('/');
          using held = resolveIn(root, above, { follow: true, directory: true });
          setTimes(entryPath(held.descriptor, path.slice(at + 1)), mtime);
        } catch (error) {
          // Somebody took it away again.
          if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
        }
      }
    },
    close: () => {
      if (file !== undefined) closeSync(file.descriptor);
      parent?.[Symbol.dispose]();
    },
  };
}

/** The directory that an archive is put into. */
function openTarget(root: number, options: ExtractOptions): Held {
  const held = resolveIn(root, options.path, { follow: true });
  try {
    if (!fstatSync(held.descriptor).isDirectory())
      throw new BerthError('invalid', 'extraction point is not a directory');
    const ofRoot = mountIdOf(held.descriptor) === mountIdOf(root);
    if (ofRoot ? options.readOnlyRoot : isReadOnly(held.descriptor))
      throw new BerthError(
        'forbidden',
        ofRoot ? 'container rootfs is marked read-only' : 'mounted volume is marked read-only',
      );
    return held;
  } catch (error) {
    held[Symbol.dispose]();
    if (isErrno(error, 'ENOTDIR')) throw new BerthError('invalid', 'extraction point is not a directory');
    throw error;
  }
}

function isReadOnly(held: number): boolean {
  try {
    accessSync(selfPath(held), constants.W_OK);
    return false;
  } catch (error) {
    if (isErrno(error, 'EROFS')) return true;
    throw error;
  }
}

/** chmod(2) follows links, and has no way not to: what was just made is held first. */
function chmodHere(directory: number, name: string, mode: number): void {
  using held = resolveIn(directory, name, { follow: false });
  chmodSync(selfPath(held.descriptor), mode);
}

/** The components of a name, taken from a directory whatever it begins with; `..` goes up in it, and no further. */
function componentsOf(name: string, leaves?: () => BerthError): string[] {
  const components: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') components.push(part);
    else if (components.pop() === undefined && leaves !== undefined) throw leaves();
  }
  return components;
}

function refused(why: string): BerthError {
  return new BerthError('invalid', `Error processing tar file: ${why}`);
}

/** And those that what is in a container already brings about. */
const BLAMED = [...ENTRY_ERRORS, 'EXDEV', 'EPERM', 'EACCES', 'EBUSY'];

function blame(entry: TarEntry, error: unknown): unknown {
  if (isErrno(error, 'EROFS'))
    return new BerthError(
      'forbidden',
      `'${shown(entry.name)}' can't be written: it is on a read-only file system`,
    );
  const code = BLAMED.find((known) => isErrno(error, known));
  return code === undefined ? error : refused(`'${shown(entry.name)}' can't be made: ${code}`);
}

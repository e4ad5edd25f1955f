import { closeSync, constants, openSync, readdirSync, readlinkSync, rmdirSync, unlinkSync } from 'node:fs';
import { isErrno } from '../api/errors.ts';
import { openInRoot } from './syscalls.ts';

/**
 * Files of a tree that somebody hostile may be changing at the same moment, a running container's. A path is resolved
 * by the kernel inside the tree (openat2) and held as a descriptor; from there on only the names of single entries
 * are used, none of them followed. So nothing that is renamed or linked meanwhile leads out. Synchronous, for a thread
 * of its own.
 *
 * Names and paths are binary strings, a character for each byte.
 */

/** A descriptor that is closed when it is disposed of. */
export type Held = Disposable & { readonly descriptor: number };

/** openat2(2) gives EAGAIN when something was renamed while it looked; a container that goes on renaming gets no more tries. */
const MAX_TRIES = 64;

export function hold(descriptor: number): Held {
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
}

/** What `path` names inside the tree at the open directory `root`. Throws system errors. */
export function resolveIn(
  root: number,
  path: string,
  options: { readonly follow: boolean; readonly directory?: boolean },
): Held {
  for (let tries = 1; ; tries += 1) {
    try {
      return hold(openInRoot(root, bytesOf(path), options));
    } catch (error) {
      if (!isErrno(error, 'EAGAIN') || tries === MAX_TRIES) throw error;
    }
  }
}

/** A path for a system call that names what a descriptor holds. */
export function selfPath(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** A path for a system call that names an entry of an open directory. `name` is a single component. */
export function entryPath(directory: number, name: string): string | Buffer {
  const path = `${selfPath(directory)}/${name}`;
  return /[\x80-\xff]/.test(name) ? Buffer.from(path, 'latin1') : path;
}

const O_PATH = 0o10000000;

/** Holds an entry of an open directory, whatever it is; a link is not followed. */
export function openEntry(directory: number, name: string): Held {
  return hold(openSync(entryPath(directory, name), O_PATH | constants.O_NOFOLLOW));
}

/** Holds a directory in an open directory. Throws ENOTDIR where it is none, ELOOP where it is a link. */
export function openDirectory(directory: number, name: string): Held {
  return hold(openSync(entryPath(directory, name), O_PATH | constants.O_NOFOLLOW | constants.O_DIRECTORY));
}

/** Opens for reading what a descriptor holds: it must be a regular file, for to open a device or a pipe does something. */
export function openForReading(held: number): Held {
  return hold(openSync(selfPath(held), constants.O_RDONLY | constants.O_NOCTTY));
}

/** The names in an open directory, in the order of their bytes. */
export function namesIn(directory: number): readonly string[] {
  return readdirSync(selfPath(directory), { encoding: 'latin1' }).sort();
}

/** The target of a link in an open directory; undefined where there is no link of that name. */
export function linkIn(directory: number, name: string): string | undefined {
  try {
    return readlinkSync(entryPath(directory, name), { encoding: 'latin1' });
  } catch (error) {
    if (isErrno(error, 'EINVAL') || isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Removes an entry of an open directory and, where it is a directory, all below it. Does nothing where it is gone. */
export function removeEntry(directory: number, name: string): void {
  try {
    unlinkSync(entryPath(directory, name));
    return;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (!isErrno(error, 'EISDIR') && !isErrno(error, 'EPERM')) throw error;
  }
  {
    using inside = openDirectory(directory, name);
    for (const child of namesIn(inside.descriptor)) removeEntry(inside.descriptor, child);
  }
  rmdirSync(entryPath(directory, name));
}

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * The path, from the tree's root, that a path leads to with all its links followed; the last components may be
 * missing. For showing it: nothing may be opened by it.
 */
export function followIn(root: number, path: string): string {
  let pending = path.split('/');
  let real: string[] = [];
  let links = 0;
  for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      real.pop();
      continue;
    }
    const target = linkAt(root, real.join('/'), part);
    if (target === undefined) {
      real.push(part);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return path;
    if (target.startsWith('/')) real = [];
    pending = [...target.split('/'), ...pending];
  }
  return `/${real.join('/')}`;
}

function linkAt(root: number, directory: string, name: string): string | undefined {
  try {
    using parent = resolveIn(root, `/${directory}`, { follow: true, directory: true });
    return linkIn(parent.descriptor, name);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR') || isErrno(error, 'ELOOP')) return undefined;
    throw error;
  }
}

function bytesOf(path: string): string | Buffer {
  return /[\x80-\xff]/.test(path) ? Buffer.from(path, 'latin1') : path;
}

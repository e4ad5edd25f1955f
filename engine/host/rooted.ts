import { lstat, mkdir, open, readlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;
/** A passwd or group file longer than this is not read. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * Where `path` leads inside the tree at `root`, with every link taken as a process in a chroot would take it:
 * nothing leads out. The last components may be missing. Only for trees that nobody writes meanwhile.
 * Throws `invalid` on a loop of links.
 */
export async function resolveInRoot(root: string, path: string): Promise<string> {
  let pending = path.split('/').filter((part) => part !== '');
  let inside: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const [part = '', ...rest] = pending;
    pending = rest;
    if (part === '.') continue;
    if (part === '..') {
      inside = inside.slice(0, -1);
      continue;
    }
    const target = await readLink(join(root, ...inside, part));
    if (target === undefined) {
      inside.push(part);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) throw new BerthError('invalid', `too many levels of symbolic links in ${path}`);
    if (target.startsWith('/')) inside = [];
    pending = [...target.split('/').filter((item) => item !== ''), ...pending];
  }
  return join(root, ...inside);
}

/** Reads a small text file inside the tree; undefined where it is missing or no regular file. */
export async function readInRoot(root: string, path: string): Promise<string | undefined> {
  const real = await resolveInRoot(root, path);
  try {
    const stat = await lstat(real);
    if (!stat.isFile() || stat.size > MAX_FILE_BYTES) return undefined;
    await using file = await open(real, 'r');
    return await file.readFile('utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Makes a directory and its parents inside the tree. Throws `invalid` where something else stands there. */
export async function makeDirInRoot(root: string, path: string): Promise<void> {
  const real = await resolveInRoot(root, posix.normalize(path));
  try {
    await mkdir(real, { recursive: true, mode: 0o755 });
  } catch (error) {
    if (!isErrno(error, 'EEXIST') && !isErrno(error, 'ENOTDIR')) throw error;
    throw new BerthError('invalid', `cannot use ${path} as a working directory: it is not a directory`, {
      cause: error,
    });
  }
}

async function readLink(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isErrno(error, 'EINVAL') || isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

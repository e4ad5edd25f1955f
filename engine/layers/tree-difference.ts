import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../api/errors.ts';

/**
 * The first difference between two trees of files, in words; undefined where there is none. `found` is held against
 * `wanted`: type, mode, owner, size, time, device, target and content of each entry.
 */
export async function treeDifference(
  found: string,
  wanted: string,
  signal: AbortSignal,
  path = '',
): Promise<string | undefined> {
  signal.throwIfAborted();
  const name = path === '' ? 'its root' : path;
  const [here, there] = await Promise.all([statOf(join(found, path)), lstat(join(wanted, path))]);
  if (here === undefined) return `${name} is missing`;
  // What an archive doesn't say of a directory is the time at which it was unpacked.
  const compared = there.isDirectory() ? attributes.filter((one) => one !== 'mtimeMs') : attributes;
  const differs = compared.find((attribute) => here[attribute] !== there[attribute]);
  if (differs !== undefined) return `${name} has another ${words[differs]}`;
  if (there.isSymbolicLink()) {
    const targets = await Promise.all([found, wanted].map((root) => readlink(join(root, path))));
    return targets[0] === targets[1] ? undefined : `${name} leads elsewhere`;
  }
  if (there.isDirectory()) return await directoryDifference(found, wanted, signal, path);
  if (here.size !== there.size) return `${name} has ${here.size} bytes of ${there.size}`;
  if (!there.isFile()) return undefined;
  const [one, other] = await Promise.all([digestOf(join(found, path)), digestOf(join(wanted, path))]);
  return one === other ? undefined : `${name} has other bytes`;
}

const attributes = ['mode', 'uid', 'gid', 'rdev', 'mtimeMs'] as const;
const words: Readonly<Record<(typeof attributes)[number], string>> = {
  mode: 'type or mode',
  uid: 'owner',
  gid: 'group',
  rdev: 'device',
  mtimeMs: 'time',
};

async function directoryDifference(
  found: string,
  wanted: string,
  signal: AbortSignal,
  path: string,
): Promise<string | undefined> {
  const [here, there] = await Promise.all([readdir(join(found, path)), readdir(join(wanted, path))]);
  const names = new Set(there);
  const added = here.find((name) => !names.has(name));
  if (added !== undefined) return `${join(path, added)} does not belong there`;
  for (const name of there) {
    const difference = await treeDifference(found, wanted, signal, join(path, name));
    if (difference !== undefined) return difference;
  }
  return undefined;
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}

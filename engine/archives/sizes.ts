import { lstat, readdir } from 'node:fs/promises';
import { isErrno } from '../api/errors.ts';

const SLASH = Buffer.from('/');

/**
 * Bytes of all that is in a directory, such as what a container wrote into its layer: files as long as they say they are, each inode once, directories
 * not counted, as dockerd does it. No link is followed. Where there is no such directory it is 0; what goes away
 * meanwhile is left out.
 */
export async function writtenBytes(upper: string): Promise<number> {
  const seen = new Set<number>();
  let bytes = 0;
  // Names are bytes: not every file system holds UTF-8 alone.
  const waiting = [Buffer.from(upper)];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const name of await namesIn(directory)) {
      const path = Buffer.concat([directory, SLASH, name]);
      const stat = await unlessGone(lstat(path));
      if (stat === undefined) continue;
      if (stat.isDirectory()) waiting.push(path);
      else if (!seen.has(stat.ino)) {
        seen.add(stat.ino);
        bytes += stat.size;
      }
    }
  }
  return bytes;
}

async function namesIn(directory: Buffer): Promise<readonly Buffer[]> {
  return (await unlessGone(readdir(directory, { encoding: 'buffer' }))) ?? [];
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

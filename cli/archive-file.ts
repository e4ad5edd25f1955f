import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BerthError } from '../engine/api/errors.ts';
import type { Output } from './output.ts';

/** Where an archive is written to. */

/** Throws `invalid` where it is a terminal; `instead` is the line to type. */
export function refuseTerminal(out: Output, instead: string): void {
  if (out.isTerminal) throw new BerthError('invalid', 'an archive is not for a terminal', { hint: instead });
}

/** Throws `invalid` on a path that no file can be written to. */
export async function requirePlace(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile())
    throw new BerthError('invalid', `invalid output path: "${path}" must be a regular file`);
  const directory = dirname(resolve(path));
  if ((await stat(directory).catch(() => undefined))?.isDirectory() !== true)
    throw new BerthError('invalid', `invalid output path: directory "${directory}" does not exist`);
}

/** The file is there when it is whole, and not before. */
export async function writeWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${process.pid}.partial`;
  try {
    {
      await using file = await open(temporary, 'wx', 0o600);
      for await (const chunk of chunks) await file.writeFile(chunk);
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

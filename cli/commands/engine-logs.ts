import { on } from 'node:events';
import { watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthError, isErrno } from '../../engine/api/errors.ts';
import { operations } from '../../engine/api/operations.ts';
import { type Context, defineCommand } from '../command.ts';
import { enginePlace } from '../engine-place.ts';
import { engineFlags } from '../engine-process.ts';

const { follow, tail } = operations.containerLogs.query;
const CHUNK_BYTES = 64 * 1024;

export const command = defineCommand({
  usage: '[FLAGS]',
  flags: { follow, tail: { ...tail, default: 'all' }, run: engineFlags.run },
  takes: [0, 0],
  examples: [{ line: 'berth engine logs -f -n 20', does: 'The last 20 lines, and whatever comes' }],
  async run(context, { flags }) {
    const { run } = enginePlace({ host: context.host, run: flags.run }, context.env);
    const path = join(run, 'engine.log');
    await using file = await openLog(path);
    const signal = context.signals.cancelled;
    // Watched before it is read: what is written in between is noticed. (The watch of node:fs/promises begins only
    // where it is iterated.)
    const changes = flags.follow ? on(watch(path, { signal }), 'change', { signal }) : undefined;
    let offset = await copyFrom(file, await startOf(file, flags.tail ?? 'all'), context);
    for await (const _ of changes ?? []) {
      // A log that got shorter was begun anew.
      if ((await file.stat()).size < offset) offset = 0;
      offset = await copyFrom(file, offset, context);
    }
    return 0;
  },
});

async function openLog(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new BerthError('notFound', `there is no log at ${path}: no engine was started there`, {
      hint: 'berth engine start',
      cause: error,
    });
  }
}

/** Where the last so many lines begin, looked for from the end. */
async function startOf(file: FileHandle, lines: string): Promise<number> {
  if (lines === 'all') return 0;
  let end = (await file.stat()).size;
  let left = Number(lines);
  const chunk = Buffer.alloc(CHUNK_BYTES);
  // The line break that ends the last line begins no line of its own.
  let first = true;
  while (end > 0) {
    const begin = Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - begin, begin);
    for (let index = bytesRead - 1; index >= 0; index--) {
      const breaks = chunk[index] === 0x0a;
      if (breaks && !first) left -= 1;
      if (left === 0 && (breaks || lines === '0')) return begin + index + 1;
      first = false;
    }
    end = begin;
  }
  return 0;
}

async function copyFrom(file: FileHandle, offset: number, { stdout }: Context): Promise<number> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let at = offset;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return at;
    at += bytesRead;
    await stdout.write(Buffer.from(chunk.subarray(0, bytesRead)));
  }
}

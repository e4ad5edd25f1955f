import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BerthError } from '../../engine/api/errors.ts';
import { chunksOf } from '../../engine/client/transport.ts';
import { defineCommand, type Flag } from '../command.ts';

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER',
  description: 'What is mounted into the container is left out.',
  flags: {
    output: {
      type: 'string',
      summary: 'File to write to, instead of standard output',
      short: 'o',
      placeholder: 'FILE',
    } as Flag<string>,
  },
  takes: [1, 1],
  examples: [{ line: 'berth export -o web.tar web', does: 'All its files in an archive' }],
  async run(context, { flags, args: [id = ''] }) {
    const { stdout, signals } = context;
    if (flags.output === undefined && stdout.isTerminal)
      throw new BerthError('invalid', 'an archive is not for a terminal', {
        hint: `berth export -o ${id}.tar ${id}`,
      });
    if (flags.output !== undefined) await requirePlace(flags.output);
    const client = await context.connect();
    const answer = await client.bytes('containerExport', { id }, { signal: signals.cancelled });
    const archive = chunksOf(answer, client.host);
    if (flags.output === undefined) for await (const chunk of archive) await stdout.write(chunk);
    else await writeWhole(flags.output, archive);
    return 0;
  },
});

async function requirePlace(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && !found.isFile())
    throw new BerthError('invalid', `invalid output path: "${path}" must be a regular file`);
  const directory = dirname(resolve(path));
  if ((await stat(directory).catch(() => undefined))?.isDirectory() !== true)
    throw new BerthError('invalid', `invalid output path: directory "${directory}" does not exist`);
}

/** The file is there when it is whole, and not before. */
async function writeWhole(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
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

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { BerthError } from '../../engine/api/errors.ts';
import { operations } from '../../engine/api/operations.ts';
import { defineCommand, type Flag } from '../command.ts';
import { printable } from '../printable.ts';
import { openProgress } from '../progress.ts';

const { quiet, platform } = operations.imagesLoad.query;

export const command = defineCommand({
  usage: '[FLAGS]',
  description:
    'It takes what docker, podman and berth save, and OCI layouts, compressed with gzip or zstd or not. It prints what was loaded; progress goes to standard error.',
  flags: {
    input: {
      type: 'string',
      summary: 'File to read from, instead of standard input',
      short: 'i',
      placeholder: 'FILE',
    } as Flag<string>,
    quiet,
    platform,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth load -i app.tar', does: 'The images of an archive' },
    { line: 'curl -L https://example.com/app.tar.gz | berth load', does: 'From elsewhere' },
  ],
  async run(context, { flags: { input, quiet: isQuiet, platform: wanted } }) {
    if (input === undefined && context.stdin().isTTY)
      throw new BerthError('invalid', 'requested load from stdin, but stdin is empty', {
        hint: 'berth load -i FILE',
      });
    if (input !== undefined && (await stat(input).catch(() => undefined))?.isDirectory() !== false)
      throw new BerthError('notFound', `${input}: no such file`);
    const client = await context.connect();
    const body =
      input === undefined ? (context.stdin() as AsyncIterable<Uint8Array>) : createReadStream(input);
    const progress = openProgress(context.stderr, { quiet: isQuiet });
    const said: string[] = [];
    try {
      const query = { quiet: isQuiet, platform: wanted };
      for await (const line of client.lines('imagesLoad', query, {
        body,
        signal: context.signals.cancelled,
      })) {
        if (line.stream !== undefined) said.push(line.stream);
        else if (line.status !== undefined) progress.take(line);
      }
    } finally {
      progress.end();
      for (const text of said) context.stdout.line(printable(text.trimEnd()));
    }
    return 0;
  },
});

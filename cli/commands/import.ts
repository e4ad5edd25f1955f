import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { BerthError } from '../../engine/api/errors.ts';
import { operations } from '../../engine/api/operations.ts';
import { splitTag } from '../../engine/api/split-tag.ts';
import { defineCommand } from '../command.ts';

const { changes, message, platform } = operations.imageImport.query;

export const command = defineCommand({
  usage: '[FLAGS] FILE|- [REPOSITORY[:TAG]]',
  description: 'The archive may be compressed with gzip or zstd. It prints the id of the image.',
  flags: { change: changes, message, platform },
  takes: [1, 2],
  examples: [
    { line: 'berth import rootfs.tar.gz mine:1', does: 'An image of a file system in an archive' },
    { line: `berth export web | berth import -c 'CMD ["sh"]' - web:flat`, does: 'A container as one layer' },
  ],
  async run(context, { flags, args: [file = '', target] }) {
    const isUrl = /^[a-z]+:\/\//i.test(file);
    if (!isUrl && file !== '-') await requireFile(file);
    const client = await context.connect();
    const body =
      file === '-'
        ? (context.stdin() as AsyncIterable<Uint8Array>)
        : isUrl
          ? undefined
          : createReadStream(file);
    const lines = client.lines(
      'imageImport',
      {
        fromSrc: isUrl ? file : '-',
        ...splitTag(target),
        changes: flags.change,
        message: flags.message,
        platform: flags.platform,
      },
      { signal: context.signals.cancelled, ...(body === undefined ? {} : { body }) },
    );
    for await (const { status } of lines) if (status !== undefined) context.stdout.line(status);
    return 0;
  },
});

async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new BerthError('notFound', `${path}: no such file or directory`);
  if (found.isDirectory())
    throw new BerthError('invalid', `${path} is a directory`, {
      hint: `tar -C ${path} -c . | berth import -`,
    });
}

import { operations } from '../../engine/api/operations.ts';
import { chunksOf } from '../../engine/client/transport.ts';
import { refuseTerminal, requirePlace, writeWhole } from '../archive-file.ts';
import { defineCommand, type Flag } from '../command.ts';

export const command = defineCommand({
  usage: '[FLAGS] IMAGE [IMAGE...]',
  description:
    'The archive is an OCI layout and one of docker at the same time: docker and podman load it. A repository without a tag stands for all its tags.',
  flags: {
    output: {
      type: 'string',
      summary: 'File to write to, instead of standard output',
      short: 'o',
      placeholder: 'FILE',
    } as Flag<string>,
    platform: operations.imagesSave.query.platform,
  },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    { line: 'berth save -o app.tar team/app:1.2', does: 'An image in a file' },
    { line: 'berth save app | ssh other berth load', does: 'To another machine' },
  ],
  async run(context, { flags, args: names }) {
    const { stdout, signals } = context;
    const { output, platform } = flags;
    if (output === undefined) refuseTerminal(stdout, `berth save -o image.tar ${names[0]}`);
    else await requirePlace(output);
    const client = await context.connect();
    const answer = await client.bytes('imagesSave', { names, platform }, { signal: signals.cancelled });
    const archive = chunksOf(answer, client.host);
    if (output === undefined) for await (const chunk of archive) await stdout.write(chunk);
    else await writeWhole(output, archive);
    return 0;
  },
});

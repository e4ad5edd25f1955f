import { chunksOf } from '../../engine/client/transport.ts';
import { refuseTerminal, requirePlace, writeWhole } from '../archive-file.ts';
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
    if (flags.output === undefined) refuseTerminal(stdout, `berth export -o ${id}.tar ${id}`);
    else await requirePlace(flags.output);
    const client = await context.connect();
    const answer = await client.bytes('containerExport', { id }, { signal: signals.cancelled });
    const archive = chunksOf(answer, client.host);
    if (flags.output === undefined) for await (const chunk of archive) await stdout.write(chunk);
    else await writeWhole(flags.output, archive);
    return 0;
  },
});

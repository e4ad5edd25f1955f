import { defineCommand } from '../command.ts';
import { createFlags, createFromFlags, streamsOf } from '../create-flags.ts';

export const command = defineCommand({
  usage: '[FLAGS] IMAGE [COMMAND] [ARG...]',
  description: 'It prints the id of the new container.',
  flags: createFlags,
  takes: [1, Number.POSITIVE_INFINITY],
  argsEndFlags: true,
  examples: [{ line: 'berth create --name web nginx && berth start web', does: 'Create now, start later' }],
  async run(context, { flags, args }) {
    const { stdin, stdout, stderr } = streamsOf(flags);
    const body = { AttachStdin: stdin, AttachStdout: stdout, AttachStderr: stderr };
    context.stdout.line(await createFromFlags(context, await context.connect(), { flags, args, body }));
    return 0;
  },
});

import { defineCommand } from '../command.ts';
import { createFlags, createFromFlags } from '../create-flags.ts';

export const command = defineCommand({
  usage: '[FLAGS] IMAGE [COMMAND] [ARG...]',
  description: 'It prints the id of the new container.',
  flags: createFlags,
  takes: [1, Number.POSITIVE_INFINITY],
  argsEndFlags: true,
  examples: [{ line: 'berth create --name web nginx && berth start web', does: 'Create now, start later' }],
  async run(context, { flags, args }) {
    const interactive = flags.interactive ?? false;
    const body = { AttachStdin: interactive, AttachStdout: true, AttachStderr: true };
    context.stdout.line(await createFromFlags(context, await context.connect(), { flags, args, body }));
    return 0;
  },
});

import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { doToEach } from '../each.ts';

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER [CONTAINER...]',
  description: 'The signal is KILL where none is given.',
  flags: { signal: operations.containerKill.query.signal },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: 'berth kill -s HUP web', does: 'Make a server read its configuration again' }],
  async run(context, { flags, args }) {
    const client = await context.connect();
    return doToEach(context, args, async (id) => {
      await client.act('containerKill', { id, signal: flags.signal }, { signal: context.signals.cancelled });
      return id;
    });
  },
});

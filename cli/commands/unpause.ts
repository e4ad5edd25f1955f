import { defineCommand } from '../command.ts';
import { doToEach } from '../each.ts';

export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  flags: {},
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: 'berth unpause db', does: 'Let it go on where it was' }],
  async run(context, { args }) {
    const client = await context.connect();
    return doToEach(context, args, async (id) => {
      await client.act('containerUnpause', { id }, { signal: context.signals.cancelled });
      return id;
    });
  },
});

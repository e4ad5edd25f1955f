import { defineCommand } from '../command.ts';
import { doToEach } from '../each.ts';

export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  description: 'Their processes stop where they are and keep their memory, until berth unpause.',
  flags: {},
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: 'berth pause db', does: 'Hold a database still while its files are copied' }],
  async run(context, { args }) {
    const client = await context.connect();
    return doToEach(context, args, async (id) => {
      await client.act('containerPause', { id }, { signal: context.signals.cancelled });
      return id;
    });
  },
});

import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { doToEach } from '../each.ts';

const { timeout, signal } = operations.containerStop.query;

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER [CONTAINER...]',
  flags: {
    timeout: { ...timeout, aliases: ['time'], placeholder: 'SECONDS' },
    signal,
  },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: 'berth stop -t 30 db', does: 'Give it half a minute to end by itself' }],
  async run(context, { flags, args }) {
    const client = await context.connect();
    return doToEach(context, args, async (id) => {
      await client.act('containerStop', { id, ...flags }, { signal: context.signals.cancelled });
      return id;
    });
  },
});

import { BerthError } from '../../engine/api/errors.ts';
import { defineCommand, type Flag } from '../command.ts';
import { doToEach } from '../each.ts';

export const command = defineCommand({
  usage: '[FLAGS] NETWORK [NETWORK...]',
  description: 'Removes networks. One that a container which runs is on stays.',
  flags: {
    force: { type: 'boolean', summary: 'Say nothing of one that is not there', short: 'f' } as Flag<boolean>,
  },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: 'berth network rm back', does: 'Remove it' }],
  async run(context, { flags: { force = false }, args }) {
    const client = await context.connect();
    return doToEach(context, args, async (id) => {
      try {
        await client.act('networkRemove', { id }, { signal: context.signals.cancelled });
        return id;
      } catch (error) {
        if (force && error instanceof BerthError && error.code === 'notFound') return undefined;
        throw error;
      }
    });
  },
});

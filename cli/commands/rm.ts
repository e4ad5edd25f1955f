import { toBerthError } from '../../engine/api/errors.ts';
import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { doToEach } from '../each.ts';

const { force, link, volumes } = operations.containerRemove.query;

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER [CONTAINER...]',
  flags: { force, link, volumes },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: 'berth rm $(berth ps -aq --filter status=exited)', does: 'Remove all that have ended' }],
  async run(context, { flags, args }) {
    const client = await context.connect();
    return doToEach(context, args, async (id) => {
      try {
        await client.act('containerRemove', { id, ...flags }, { signal: context.signals.cancelled });
      } catch (error) {
        // As `rm -f` of files, and docker's: what isn't there is as removed as it can be.
        if (!flags.force || toBerthError(error).code !== 'notFound') throw error;
      }
      return id;
    });
  },
});

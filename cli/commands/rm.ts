import { toBerthError } from '../../engine/api/errors.ts';
import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { complain, doToEach } from '../each.ts';

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
        return id;
      } catch (thrown) {
        // As docker's: with --force what isn't there is said, and is no failure.
        const error = toBerthError(thrown);
        if (!flags.force || error.code !== 'notFound') throw error;
        complain(context, error);
        return undefined;
      }
    });
  },
});

import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { doToEach } from '../each.ts';

const { force } = operations.volumeRemove.query;

export const command = defineCommand({
  usage: '[FLAGS] VOLUME [VOLUME...]',
  description: 'Removes volumes and all that is in them. One that a container has stays.',
  flags: { force },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: 'berth volume rm data', does: 'Remove it, with what is in it' }],
  async run(context, { flags, args }) {
    const client = await context.connect();
    return doToEach(context, args, async (name) => {
      await client.act('volumeRemove', { name, ...flags }, { signal: context.signals.cancelled });
      return name;
    });
  },
});

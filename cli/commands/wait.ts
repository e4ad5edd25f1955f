import { defineCommand } from '../command.ts';
import { doToEach } from '../each.ts';

export const command = defineCommand({
  usage: 'CONTAINER [CONTAINER...]',
  flags: {},
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [{ line: 'berth wait job && berth logs job', does: 'Wait for a job and read what it wrote' }],
  async run(context, { args }) {
    const client = await context.connect();
    return doToEach(context, args, async (id) => {
      const { StatusCode } = await client.call(
        'containerWait',
        { id },
        { signal: context.signals.cancelled },
      );
      return String(StatusCode);
    });
  },
});

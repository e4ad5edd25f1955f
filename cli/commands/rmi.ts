import { toBerthError } from '../../engine/api/errors.ts';
import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { complain, doToEach } from '../each.ts';

const { force, noprune, platform } = operations.imageRemove.query;

export const command = defineCommand({
  usage: '[FLAGS] IMAGE [IMAGE...]',
  flags: {
    force,
    noPrune: noprune,
    platform,
  },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    { line: 'berth rmi ubuntu:22.04', does: 'Remove a tag, and the image if that was its last one' },
  ],
  async run(context, { flags, args }) {
    const client = await context.connect();
    return doToEach(context, args, async (name) => {
      try {
        const removed = await client.call(
          'imageRemove',
          { name, force: flags.force, noprune: flags.noPrune, platform: flags.platform },
          { signal: context.signals.cancelled },
        );
        const lines = removed.map((item) =>
          'Untagged' in item && item.Untagged
            ? `Untagged: ${item.Untagged}`
            : `Deleted: ${(item as { Deleted: string }).Deleted}`,
        );
        return lines.length === 0 ? undefined : lines.join('\n');
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

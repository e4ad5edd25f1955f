import { operations } from '../../engine/api/operations.ts';
import { defineCommand } from '../command.ts';
import { doToEach } from '../each.ts';

const { force, noprune } = operations.imageRemove.query;

export const command = defineCommand({
  usage: '[FLAGS] IMAGE [IMAGE...]',
  flags: { force, noPrune: noprune },
  takes: [1, Number.POSITIVE_INFINITY],
  examples: [
    { line: 'berth rmi ubuntu:22.04', does: 'Remove a tag, and the image if that was its last one' },
  ],
  async run(context, { flags, args }) {
    const client = await context.connect();
    return doToEach(context, args, async (name) => {
      const removed = await client.call(
        'imageRemove',
        { name, force: flags.force, noprune: flags.noPrune },
        { signal: context.signals.cancelled },
      );
      const lines = removed.map((item) =>
        'Untagged' in item && item.Untagged
          ? `Untagged: ${item.Untagged}`
          : `Deleted: ${(item as { Deleted: string }).Deleted}`,
      );
      return lines.length === 0 ? undefined : lines.join('\n');
    });
  },
});

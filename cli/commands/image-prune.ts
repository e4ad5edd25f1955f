import { defineCommand, type Flag } from '../command.ts';
import { confirm } from '../confirm.ts';
import { prunedImages, pruneFlags, reclaimed } from '../pruning.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description:
    'Removes images without a name that no container uses. It asks first, unless --force is given.',
  flags: {
    all: {
      type: 'boolean',
      summary: 'Remove all that no container uses, not just those without a name',
      short: 'a',
    } as Flag<boolean>,
    ...pruneFlags,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth image prune', does: 'Clean up, and be asked first' },
    { line: 'berth image prune -a -f --filter until=240h', does: 'What is older than ten days' },
  ],
  async run(context, { flags: { all = false, filter, force } }) {
    const client = await context.connect();
    const warning = all
      ? 'This will remove all images without at least one container associated to them.'
      : 'This will remove all dangling images.';
    if (!force && !(await confirm(context, warning))) return 0;
    const pruned = await client.call(
      'imagePrune',
      { filter: { ...filter, dangling: [String(!all)] } },
      { signal: context.signals.cancelled },
    );
    await context.stdout.write(prunedImages(pruned));
    context.stdout.line(reclaimed(pruned.SpaceReclaimed));
    return 0;
  },
});

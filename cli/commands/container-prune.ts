import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { prunedContainers, pruneFlags, reclaimed } from '../pruning.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description: 'Removes all containers that do not run. It asks first, unless --force is given.',
  flags: pruneFlags,
  takes: [0, 0],
  examples: [
    { line: 'berth container prune', does: 'Clean up, and be asked first' },
    {
      line: "berth container prune -f --filter until=24h --filter 'label!=keep'",
      does: 'What is older than a day',
    },
  ],
  async run(context, { flags }) {
    const client = await context.connect();
    if (!flags.force && !(await confirm(context, 'This will remove all stopped containers.'))) return 0;
    const pruned = await client.call(
      'containerPrune',
      { filter: flags.filter },
      { signal: context.signals.cancelled },
    );
    await context.stdout.write(prunedContainers(pruned));
    context.stdout.line(reclaimed(pruned.SpaceReclaimed));
    return 0;
  },
});

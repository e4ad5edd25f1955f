import { operations } from '../../engine/api/operations.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import { defineCommand, type Flag } from '../command.ts';
import { confirm } from '../confirm.ts';

const { filter } = operations.containerPrune.query;

export const command = defineCommand({
  usage: '[FLAGS]',
  description: 'Removes all containers that do not run. It asks first, unless --force is given.',
  flags: {
    // No -f here: that is --force, as docker has it.
    filter: {
      type: filter.type,
      summary: 'Remove only what matches: label=KEY=VALUE, label!=KEY, until=24h',
      placeholder: 'KEY=VALUE',
    } as Flag<Readonly<Record<string, readonly string[]>>>,
    force: { type: 'boolean', summary: 'Do not ask', short: 'f' } as Flag<boolean>,
  },
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
    const { ContainersDeleted, SpaceReclaimed } = await client.call(
      'containerPrune',
      { filter: flags.filter },
      { signal: context.signals.cancelled },
    );
    const deleted = ContainersDeleted ?? [];
    if (deleted.length > 0) await context.stdout.write(`Deleted Containers:\n${deleted.join('\n')}\n\n`);
    context.stdout.line(`Total reclaimed space: ${formatSize(SpaceReclaimed)}`);
    return 0;
  },
});

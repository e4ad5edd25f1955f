import { defineCommand, type Flag } from '../command.ts';
import { confirm } from '../confirm.ts';
import { prunedVolumes, pruneFlags, reclaimed } from '../pruning.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description:
    'Removes volumes without a name that no container has. It asks first, unless --force is given.',
  flags: {
    all: { type: 'boolean', summary: 'Remove those with a name too', short: 'a' } as Flag<boolean>,
    ...pruneFlags,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth volume prune', does: 'Clean up, and be asked first' },
    { line: "berth volume prune -a --filter 'label!=keep'", does: 'All but those with a label' },
  ],
  async run(context, { flags: { all = false, filter, force } }) {
    const client = await context.connect();
    const warning = all
      ? 'This will remove all local volumes not used by at least one container.'
      : 'This will remove anonymous local volumes not used by at least one container.';
    if (!force && !(await confirm(context, warning))) return 0;
    const pruned = await client.call(
      'volumePrune',
      { filter: { ...filter, ...(all ? { all: ['true'] } : {}) } },
      { signal: context.signals.cancelled },
    );
    await context.stdout.write(prunedVolumes(pruned));
    context.stdout.line(reclaimed(pruned.SpaceReclaimed));
    return 0;
  },
});

import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { prunedNetworks, pruneFlags } from '../pruning.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description: 'Removes networks that no container uses. It asks first, unless --force is given.',
  flags: pruneFlags,
  takes: [0, 0],
  examples: [{ line: 'berth network prune --filter until=24h', does: 'What is older than a day' }],
  async run(context, { flags: { filter, force } }) {
    const client = await context.connect();
    const warning = 'This will remove all custom networks not used by at least one container.';
    if (!force && !(await confirm(context, warning))) return 0;
    const pruned = await client.call('networkPrune', { filter }, { signal: context.signals.cancelled });
    await context.stdout.write(prunedNetworks(pruned));
    return 0;
  },
});

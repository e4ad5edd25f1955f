import { defineCommand } from '../command.ts';
import { printable } from '../printable.ts';

const KINDS = ['C', 'A', 'D'];

export const command = defineCommand({
  usage: 'CONTAINER',
  description: 'A is what was added, C what was changed, D what was deleted.',
  flags: {},
  takes: [1, 1],
  examples: [{ line: 'berth diff web', does: 'What it wrote that is not in its image' }],
  async run(context, { args: [id = ''] }) {
    const client = await context.connect();
    const changes = await client.call('containerChanges', { id }, { signal: context.signals.cancelled });
    const lines = (changes ?? []).map(({ Path, Kind }) => `${KINDS[Kind]} ${printable(Path)}\n`);
    if (lines.length > 0) await context.stdout.write(lines.join(''));
    return 0;
  },
});

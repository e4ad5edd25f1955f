import { defineCommand } from '../command.ts';

export const command = defineCommand({
  usage: 'CONTAINER NEW_NAME',
  flags: {},
  takes: [2, 2],
  examples: [{ line: 'berth rename web web-old', does: 'Make room for another of that name' }],
  async run(context, { args: [id = '', newName = ''] }) {
    const client = await context.connect();
    await client.act('containerRename', { id, newName }, { signal: context.signals.cancelled });
    return 0;
  },
});

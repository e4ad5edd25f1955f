import { defineCommand, type Flag } from '../command.ts';

export const command = defineCommand({
  usage: '[FLAGS] NETWORK CONTAINER',
  description: 'Takes a container off a network, while it runs too.',
  flags: {
    force: { type: 'boolean', summary: 'Do so even if the container is gone', short: 'f' } as Flag<boolean>,
  },
  takes: [2, 2],
  examples: [{ line: 'berth network disconnect back web', does: 'It is reached there no more' }],
  async run(context, { flags: { force = false }, args: [id = '', Container = ''] }) {
    const client = await context.connect();
    const body = { Container, Force: force };
    await client.act('networkDisconnect', { id }, { body, signal: context.signals.cancelled });
    return 0;
  },
});

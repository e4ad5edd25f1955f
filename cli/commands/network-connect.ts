import { endpointBody, endpointFields } from '../../engine/api/create/endpoint.ts';
import { defineCommand, type Flag } from '../command.ts';
import { refused } from '../refused.ts';

export const command = defineCommand({
  usage: '[FLAGS] NETWORK CONTAINER',
  description: 'Brings a container onto a network, while it runs too.',
  flags: {
    ...endpointFields,
    gwPriority: refused(
      { type: 'integer', summary: '' },
      'the way out is the first of its networks by name',
      undefined,
      0,
    ) as Flag<number>,
    linkLocalIp: refused(
      { type: 'list', summary: '' },
      'addresses of a link alone are not given',
      '--ip6 gives one of the network',
    ) as Flag<readonly string[]>,
  },
  takes: [2, 2],
  examples: [
    { line: 'berth network connect back web', does: 'The next address that is free' },
    { line: 'berth network connect --alias db --ip 10.30.0.5 back store', does: 'A name and an address' },
  ],
  async run(context, { flags, args: [id = '', Container = ''] }) {
    const body = { Container, EndpointConfig: endpointBody(flags) };
    const client = await context.connect();
    await client.act('networkConnect', { id }, { body, signal: context.signals.cancelled });
    return 0;
  },
});

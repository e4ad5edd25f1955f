import { volumeBody, volumeFields } from '../../engine/api/volume-options.ts';
import { defineCommand, type Flag } from '../command.ts';
import { refused } from '../refused.ts';

const ofClusters = (type: Flag['type']) =>
  refused({ type, summary: '' }, 'this engine has no cluster volumes') as Flag;

export const command = defineCommand({
  usage: '[FLAGS] [VOLUME]',
  description: 'Makes a volume and prints its name; one is invented where none is given.',
  flags: {
    ...volumeFields,
    availability: ofClusters('string'),
    group: ofClusters('string'),
    limitBytes: ofClusters('string'),
    requiredBytes: ofClusters('string'),
    scope: ofClusters('string'),
    secret: ofClusters('list'),
    sharing: ofClusters('string'),
    topologyPreferred: ofClusters('list'),
    topologyRequired: ofClusters('list'),
    type: ofClusters('string'),
  },
  takes: [0, 1],
  examples: [
    { line: 'berth volume create data', does: 'A directory that outlives its containers' },
    {
      line: 'berth volume create -o type=tmpfs -o device=tmpfs -o o=size=100m scratch',
      does: 'In memory, while a container has it',
    },
    {
      line: 'berth volume create -o type=nfs -o device=:/export -o o=addr=10.0.0.2 shared',
      does: 'A directory of another machine',
    },
  ],
  async run(context, { flags, args: [name = ''] }) {
    const body = volumeBody(name, flags);
    const client = await context.connect();
    const { Name } = await client.call('volumeCreate', {}, { body, signal: context.signals.cancelled });
    context.stdout.line(Name);
    return 0;
  },
});

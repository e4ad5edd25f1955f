import { newNetworkBody, newNetworkFields } from '../../engine/api/network-options.ts';
import { defineCommand, type Flag } from '../command.ts';
import { refused } from '../refused.ts';

const swarm = 'networks here are of one machine';
const text = { type: 'string', summary: '' } as const;
const truth = { type: 'boolean', summary: '' } as const;

export const command = defineCommand({
  usage: '[FLAGS] NETWORK',
  description: 'Makes a network and prints its id. Containers on it find each other by name.',
  flags: {
    ...newNetworkFields,
    attachable: { type: 'boolean', summary: 'Note that containers may join by hand' } as Flag<boolean>,
    configFrom: refused(text, swarm) as Flag<string>,
    configOnly: refused(truth, swarm) as Flag<boolean>,
    ingress: refused(truth, swarm) as Flag<boolean>,
    scope: refused(text, swarm, undefined, 'local') as Flag<string>,
    ipamDriver: refused(text, 'addresses are given out by the engine', undefined, 'default') as Flag<string>,
    ipamOpt: refused(
      { type: 'list', summary: '' },
      'the engine, which gives out addresses, takes no options',
      '--subnet and --ip-range say which it gives',
    ) as Flag<readonly string[]>,
    ipv4: refused(truth, 'a network without IPv4 is not there', undefined, true) as Flag<boolean>,
  },
  takes: [1, 1],
  examples: [
    { line: 'berth network create back', does: 'A subnet that nothing else uses' },
    {
      line: 'berth network create --subnet 10.30.0.0/24 --gateway 10.30.0.254 back',
      does: 'One of your own',
    },
    { line: 'berth network create --internal back', does: 'Nothing gets out' },
    { line: 'berth network create -d macvlan -o parent=eth0 lan', does: "On the host's own network" },
  ],
  async run(context, { flags, args: [name = ''] }) {
    const body = { ...newNetworkBody(name, flags), Attachable: flags.attachable ?? false };
    const client = await context.connect();
    const { Id, Warning } = await client.call(
      'networkCreate',
      {},
      { body, signal: context.signals.cancelled },
    );
    if (Warning) context.stderr.line(`${context.stderr.style.yellow('warning:')} ${Warning}`);
    context.stdout.line(Id);
    return 0;
  },
});

import type { NetworkInspect } from '../../engine/api/wire/networks.ts';
import { CUT_NOTE, type Cutter, fitted, moment, pairs } from '../cut.ts';
import { shortId } from '../names.ts';
import { redactValue } from '../redact.ts';
import { listOf, mapOf, optional, record, text, truth } from '../schema.ts';
import { facts } from '../table.ts';
import { reads, tool } from '../tool.ts';
import { lookUpNetwork, networkField } from './lookup.ts';

const output = record({
  id: text,
  name: text,
  driver: text,
  created: optional(text),
  internal: truth,
  subnets: listOf(text),
  gateways: listOf(text),
  containers: mapOf(text),
  options: mapOf(text),
  labels: mapOf(text),
  truncated: truth,
});

export const networkInspect = tool({
  name: 'network_inspect',
  description: 'Show subnets and options of a network, and the running containers on it.',
  hints: reads,
  toolset: 'network',
  fields: { network: networkField },
  required: ['network'],
  output,
  async run({ network }, call) {
    const found = await lookUpNetwork(network, call);
    return fitted((cutter) => describe(found, cutter), textOf);
  },
});

function describe(found: NetworkInspect, { short, few, map, truncated }: Cutter) {
  const config = found.IPAM.Config ?? [];
  const redacted = (values: NetworkInspect['Labels']) =>
    map(Object.entries(values ?? {}).map(([name, value]) => [name, redactValue(name, value)]));
  return {
    id: shortId(found.Id),
    name: short(found.Name),
    driver: found.Driver,
    created: moment(found.Created),
    internal: found.Internal,
    subnets: few(config.flatMap(({ Subnet }) => Subnet || [])),
    gateways: few(config.flatMap(({ Gateway }) => Gateway || [])),
    containers: map(
      Object.values(found.Containers ?? {}).map(({ Name, IPv4Address, IPv6Address }) => [
        Name,
        [IPv4Address, IPv6Address].filter(Boolean).join(' '),
      ]),
    ),
    options: redacted(found.Options),
    labels: redacted(found.Labels),
    truncated: truncated(),
  };
}

function textOf(data: ReturnType<typeof describe>): string {
  return facts([
    ['network', `${data.name} ${data.id}`],
    ['driver', `${data.driver}${data.internal ? ', internal' : ''}`],
    ['created', data.created],
    ['subnets', data.subnets.join(', ')],
    ['gateways', data.gateways.join(', ')],
    ['containers', pairs(data.containers)],
    ['options', pairs(data.options)],
    ['labels', pairs(data.labels)],
    ['truncated', data.truncated ? CUT_NOTE : undefined],
  ]);
}

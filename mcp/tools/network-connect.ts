import { endpointBody, endpointFields } from '../../engine/api/create/endpoint.ts';
import { bareName } from '../names.ts';
import { allowedNetwork, assertOurs } from '../policy.ts';
import { record, text } from '../schema.ts';
import { tool } from '../tool.ts';
import { containerField, lookUp, networkField } from './lookup.ts';

const { alias, ip, ip6 } = endpointFields;

const joined = record({ network: text, container: text });

export const networkConnect = tool({
  name: 'network_connect',
  description: 'Bring a container that was started here onto a network.',
  hints: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  toolset: 'network',
  fields: { network: networkField, container: containerField, alias, ip, ip6 },
  required: ['network', 'container'],
  output: joined,
  async run({ network, container, ...endpoint }, call) {
    const id = allowedNetwork(network);
    const found = await lookUp(container, call);
    const name = bareName(found.Name);
    assertOurs(call.policy, { kind: 'container', name, labels: found.Config.Labels });
    const body = { Container: found.Id, EndpointConfig: endpointBody(endpoint) };
    await call.engine.act('networkConnect', { id }, { body, signal: call.signal });
    return { text: `${name} is on ${network}`, data: { network, container: name } };
  },
});

export const networkDisconnect = tool({
  name: 'network_disconnect',
  description: 'Take a container that was started here off a network.',
  hints: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  toolset: 'network',
  fields: { network: networkField, container: containerField },
  required: ['network', 'container'],
  output: joined,
  async run({ network, container }, call) {
    const found = await lookUp(container, call);
    const name = bareName(found.Name);
    assertOurs(call.policy, { kind: 'container', name, labels: found.Config.Labels });
    const body = { Container: found.Id };
    await call.engine.act('networkDisconnect', { id: network }, { body, signal: call.signal });
    return { text: `${name} is not on ${network} any more`, data: { network, container: name } };
  },
});

import { newNetworkBody, newNetworkFields } from '../../engine/api/network-options.ts';
import { shortId } from '../names.ts';
import { allowedNetwork, MCP_LABEL } from '../policy.ts';
import { record, text } from '../schema.ts';
import { tool } from '../tool.ts';
import { networkField } from './lookup.ts';

// Neither a driver nor its options: they reach interfaces of the host.
const { subnet, gateway, internal, ipv6 } = newNetworkFields;

export const networkCreate = tool({
  name: 'network_create',
  description: 'Create a network; containers on it find each other by name.',
  hints: { readOnly: false, destructive: false, idempotent: false, openWorld: false },
  toolset: 'network',
  fields: { network: networkField, subnet, gateway, internal, ipv6 },
  required: ['network'],
  output: record({ id: text, name: text }),
  async run({ network, ...options }, { engine, signal }) {
    const name = allowedNetwork(network);
    const body = newNetworkBody(name, { ...options, label: [`${MCP_LABEL}=true`] });
    const { Id } = await engine.call('networkCreate', {}, { body, signal });
    const id = shortId(Id);
    return { text: `created ${name} (${id})`, data: { id, name } };
  },
});

import { shortId } from '../names.ts';
import { assertOurs } from '../policy.ts';
import { record, text } from '../schema.ts';
import { tool } from '../tool.ts';
import { lookUpNetwork, networkField, withHint } from './lookup.ts';

export const networkRemove = tool({
  name: 'network_remove',
  description: 'Remove a network that was created here.',
  hints: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  toolset: 'network',
  fields: { network: networkField },
  required: ['network'],
  output: record({ id: text, name: text }),
  async run({ network }, call) {
    const found = await lookUpNetwork(network, call);
    assertOurs(call.policy, { kind: 'network', name: found.Name, labels: found.Labels });
    const id = shortId(found.Id);
    try {
      await call.engine.act('networkRemove', { id: found.Id }, { signal: call.signal });
    } catch (error) {
      throw withHint(error, 'forbidden', 'network_disconnect or container_remove what is on it');
    }
    return { text: `removed ${found.Name} (${id})`, data: { id, name: found.Name } };
  },
});

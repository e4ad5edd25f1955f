import { assertOurs } from '../policy.ts';
import { record, text } from '../schema.ts';
import { tool } from '../tool.ts';
import { volumeField, withHint } from './lookup.ts';

export const volumeRemove = tool({
  name: 'volume_remove',
  description: 'Remove a volume that was created here, with all its files.',
  hints: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  toolset: 'volume',
  fields: { volume: volumeField },
  required: ['volume'],
  output: record({ name: text }),
  async run({ volume: name }, { engine, policy, signal }) {
    try {
      const { Labels } = await engine.call('volumeInspect', { name }, { signal });
      assertOurs(policy, { kind: 'volume', name, labels: Labels });
      await engine.act('volumeRemove', { name }, { signal });
    } catch (error) {
      throw withHint(
        withHint(error, 'notFound', 'volume_list shows what there is'),
        'conflict',
        'container_remove the containers that have it',
      );
    }
    return { text: `removed ${name}`, data: { name } };
  },
});

import { operations } from '../../engine/api/operations.ts';
import { bareName, shortId } from '../names.ts';
import { assertRemovable, startedThroughMcp } from '../policy.ts';
import { record, text } from '../schema.ts';
import { tool } from '../tool.ts';
import { containerField, lookUp, withHint } from './lookup.ts';

const { force } = operations.containerRemove.query;

export const containerRemove = tool({
  name: 'container_remove',
  description: 'Remove a container that was started here.',
  hints: { readOnly: false, destructive: true, idempotent: true, openWorld: false },
  fields: { container: containerField, force },
  required: ['container'],
  output: record({ id: text, name: text }),
  async run({ container, force = false }, call) {
    const { engine, policy, signal } = call;
    const found = await lookUp(container, call);
    assertRemovable(policy, found);
    // By its full id: a name could have passed to another container since it was looked at. The volumes are
    // the anonymous ones that the image declared; nobody else's container keeps them.
    const id = found.Id;
    try {
      await engine.act('containerRemove', { id, force, volumes: startedThroughMcp(found) }, { signal });
    } catch (error) {
      throw force ? error : withHint(error, 'conflict', 'force: true kills it first');
    }
    const name = bareName(found.Name);
    return { text: `removed ${name} (${shortId(id)})`, data: { id: shortId(id), name } };
  },
});

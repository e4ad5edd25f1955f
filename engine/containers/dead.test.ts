import assert from 'node:assert/strict';
import test from 'node:test';
import { openTestContainers } from '../../workshop/testing/containers.ts';

test('a container that can not be taken away is dead, and can be removed again', async () => {
  let failing = true;
  await using fixture = await openTestContainers((parts) => ({
    ...parts,
    networks: {
      ...parts.networks,
      async stop(...given) {
        if (failing) throw new Error('boom');
        await parts.networks.stop(...given);
      },
    },
  }));
  const { containers } = fixture;
  const { Id: id } = await containers.create({ Image: 'busybox', Cmd: ['true'] }, { name: 'stuck' });
  const removed = assert.rejects(containers.wait(id, 'removed', AbortSignal.timeout(20_000)), /boom/);
  await assert.rejects(containers.remove(id, {}), /container stuck could not be removed: boom/);
  await removed;
  const { State } = await containers.inspect(id);
  assert.deepEqual([State.Status, State.Dead, State.Running, State.Error], ['dead', true, false, 'boom']);
  const [row] = await containers.list({ all: true, filter: { status: ['dead'] } });
  assert.deepEqual([row?.Id, row?.Status], [id, 'Dead']);
  assert.deepEqual(await containers.list({}), []);
  await assert.rejects(containers.start(id), /marked for removal and cannot be started/);
  const again = await fixture.reopen();
  assert.equal(
    (await again.inspect(id)).State.Status,
    'dead',
    'the next start of the engine fails too, and serves',
  );
  await assert.rejects(again.remove(id, {}), /boom/);
  failing = false;
  await again.remove(id, {});
  await assert.rejects(again.inspect(id), /No such container/);
  assert.deepEqual(fixture.left(), []);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { openTestContainers, type TestContainers } from '../../workshop/testing/containers.ts';
import { freeze, isFrozen, thaw } from '../runtime/freezer.ts';

async function start(fixture: TestContainers): Promise<{ readonly id: string; readonly cgroup: string }> {
  const { Id: id } = await fixture.containers.create({ Image: 'busybox', Cmd: ['sleep', '1000'] }, {});
  await fixture.containers.start(id);
  const { Pid } = (await fixture.containers.inspect(id)).State;
  const cgroup = new RegExp(`:(/.*${id})$`, 'm').exec(readFileSync(`/proc/${Pid}/cgroup`, 'utf8'))?.[1];
  assert.ok(cgroup !== undefined);
  return { id, cgroup };
}

test('a paused container is one after a restart of the engine, and ends when it is killed', async () => {
  await using fixture = await openTestContainers();
  const { id, cgroup } = await start(fixture);
  await fixture.containers.pause(id);
  assert.equal(isFrozen(cgroup), true);
  const later = await fixture.reopen();
  assert.equal((await later.inspect(id)).State.Status, 'paused');
  assert.deepEqual(later.count(), { running: 0, paused: 1, stopped: 0 });
  const ended = later.wait(id, 'not-running', AbortSignal.timeout(20_000));
  await later.kill(id, {});
  assert.equal((await ended).StatusCode, 137);
});

test('what the kernel says counts, where the engine was killed before it wrote it down', async () => {
  await using fixture = await openTestContainers();
  const { id, cgroup } = await start(fixture);
  await freeze(cgroup);
  assert.equal((await fixture.containers.inspect(id)).State.Status, 'running', 'not written down');
  assert.equal((await (await fixture.reopen()).inspect(id)).State.Status, 'paused');
  thaw(cgroup);
  assert.equal((await (await fixture.reopen()).inspect(id)).State.Status, 'running');
});

test('one that was frozen behind the engine’s back is killed all the same', async () => {
  await using fixture = await openTestContainers();
  const { id, cgroup } = await start(fixture);
  await freeze(cgroup);
  await fixture.containers.remove(id, { force: true });
  assert.deepEqual(fixture.left(), []);
});

test('a container that is paused while it is being stopped ends all the same', async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const { id } = await start(fixture);
  // sleep ignores it as the first process of its namespace: the kill comes after a second.
  const stopping = containers.stop(id, { timeout: 1 });
  await containers.pause(id);
  assert.equal(await stopping, true);
  assert.equal((await containers.inspect(id)).State.Status, 'exited');
  assert.deepEqual(fixture.left(), []);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { openTestContainers, type TestContainers } from '../../workshop/testing/containers.ts';

async function makeSleeper(fixture: TestContainers, AutoRemove = false): Promise<string> {
  const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { AutoRemove } };
  return (await fixture.containers.create(body, {})).Id;
}

test('a container whose monitor was killed is seen to end', { timeout: 30_000 }, async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const id = await makeSleeper(fixture);
  await containers.start(id);
  process.kill(
    Number(readFileSync(join(fixture.root, 'run/containers', id, 'conmon.pid'), 'utf8')),
    'SIGKILL',
  );
  assert.equal((await containers.inspect(id)).State.Status, 'running', 'it runs without its monitor');
  const ended = containers.wait(id, 'not-running', AbortSignal.timeout(20_000));
  assert.equal(await containers.stop(id, { timeout: 1 }), true);
  assert.equal((await ended).StatusCode, 255);
  assert.equal((await containers.inspect(id)).State.Status, 'exited');
  assert.deepEqual(fixture.left(), []);
});

test('a restart keeps a container that is to be removed at its end, and two at once start it once', async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const id = await makeSleeper(fixture, true);
  await containers.start(id);
  await Promise.all([containers.restart(id, { timeout: 0 }), containers.restart(id, { timeout: 0 })]);
  assert.deepEqual(
    (await containers.list({ all: true })).map(({ Id, State }) => [Id, State]),
    [[id, 'running']],
  );
  const removed = containers.wait(id, 'removed', AbortSignal.timeout(20_000));
  await containers.stop(id, { timeout: 0 });
  await removed;
  assert.deepEqual(fixture.left(), []);
});

test('what comes while a container is being started comes after the start', async () => {
  await using fixture = await openTestContainers();
  const { containers } = fixture;
  const id = await makeSleeper(fixture);
  const starting = containers.start(id);
  await assert.rejects(containers.remove(id, {}), /cannot remove a running container/);
  await starting;
  assert.equal((await containers.inspect(id)).State.Status, 'running');
  await containers.stop(id, { timeout: 0 });
  const again = containers.start(id);
  assert.equal(await containers.stop(id, { timeout: 0 }), true);
  await again;
  assert.equal((await containers.inspect(id)).State.Status, 'exited');
});

test('an end is told and the engine starts again although the runtime fails to let go', async () => {
  let failing = false;
  await using fixture = await openTestContainers((parts) => ({
    ...parts,
    runtime: {
      ...parts.runtime,
      async remove(id) {
        if (failing) throw new Error('boom');
        await parts.runtime.remove(id);
      },
    },
  }));
  const id = await makeSleeper(fixture);
  await fixture.containers.start(id);
  failing = true;
  const ended = fixture.containers.wait(id, 'not-running', AbortSignal.timeout(10_000));
  await fixture.containers.kill(id, {});
  assert.equal((await ended).StatusCode, 137);
  const later = await fixture.reopen();
  assert.equal((await later.inspect(id)).State.Status, 'exited');
  failing = false;
  await fixture.reopen();
  assert.deepEqual(fixture.left(), []);
});

test('an exit file that an earlier run left does not end the next one', async () => {
  await using fixture = await openTestContainers();
  const id = await makeSleeper(fixture);
  fixture.containers.close();
  await writeFile(join(fixture.root, 'run', 'exits', id), '3');
  await fixture.containers.start(id);
  const later = await fixture.reopen();
  assert.equal((await later.inspect(id)).State.Status, 'running');
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { startEngine, type TestEngine } from '../../workshop/testing/engine.ts';
import { held, openFiles } from '../../workshop/testing/held.ts';
import { createBody } from '../api/create.ts';

/** How many containers are run to see whether the engine grows; more by hand: BERTH_CROWD=2000. */
const CROWD = Number(process.env.BERTH_CROWD ?? 100);
const AT_ONCE = 20;

/** Starts, waits for and removes so many containers, some at a time. */
async function runMany({ client }: TestEngine, count: number): Promise<void> {
  const body = createBody('busybox', ['sh', '-c', 'echo hello; exit 3'], {});
  let begun = 0;
  const worker = async () => {
    while (begun < count) {
      begun += 1;
      const { Id: id } = await client.call('containerCreate', {}, { body });
      const { answer } = await client.begin('containerWait', { id, condition: 'next-exit' });
      await client.act('containerStart', { id });
      assert.equal((await answer).StatusCode, 3);
      await client.act('containerRemove', { id });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const residentMiB = (pid: number) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

function children(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
}

test('a hundred containers, twenty at a time, leave no mount, namespace, address, descriptor or process', async () => {
  await using engine = await startEngine();
  // What is made once (the bridge, the connections of this client) is there before it is counted.
  await runMany(engine, AT_ONCE);
  const before = openFiles(engine.pid());
  await runMany(engine, 100);
  for (const [what, ids] of Object.entries(held(engine))) assert.deepEqual(ids, [], what);
  const bridge = (await engine.client.call('networkInspect', { id: 'bridge' })) as { Containers: object };
  assert.deepEqual(bridge.Containers, {});
  assert.ok(
    openFiles(engine.pid()) <= before + 2,
    `${openFiles(engine.pid())} descriptors, ${before} before`,
  );
  assert.deepEqual(children(engine.pid()), []);
  assert.deepEqual(await engine.client.call('containerList', { all: true }), []);
});

test('the engine does not grow with the containers that it has run', async (t) => {
  await using engine = await startEngine();
  const pid = engine.pid();
  // The heap finds its size first.
  await runMany(engine, Math.max(100, CROWD / 4));
  const before = residentMiB(pid);
  await runMany(engine, CROWD);
  const after = residentMiB(pid);
  t.diagnostic(`${before.toFixed(0)} MiB, after ${CROWD} more containers ${after.toFixed(0)} MiB`);
  assert.ok(after < before + 40, `${before} MiB grew to ${after}`);
});

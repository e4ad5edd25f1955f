import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startEngine, type TestEngine } from '../../workshop/testing/engine.ts';
import { held } from '../../workshop/testing/held.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { createBody } from '../api/create.ts';

/** How many times the engine is killed in the middle of work; more by hand: BERTH_CRASHES=200. */
const CRASHES = Number(process.env.BERTH_CRASHES ?? 8);

async function runOne(engine: TestEngine, rm: boolean): Promise<void> {
  const { client } = engine;
  const { Id } = await client.call(
    'containerCreate',
    {},
    { body: createBody('busybox', ['sh', '-c', 'echo hi; exit 4'], { rm }) },
  );
  const ended = client.call('containerWait', { id: Id, condition: 'next-exit' });
  ended.catch(() => undefined);
  await client.act('containerStart', { id: Id });
  await ended;
  if (!rm) await client.act('containerRemove', { id: Id });
}

test('an engine that is killed in the middle of work finds all containers again and leaves nothing orphaned', async () => {
  await using engine = await startEngine();
  const { client } = engine;
  const { Id: kept } = await client.call(
    'containerCreate',
    { name: 'kept' },
    { body: createBody('busybox', ['sleep', '1000'], {}) },
  );
  await client.act('containerStart', { id: kept });
  const { pid, address } = await identityOf(kept);
  for (let crash = 0; crash < CRASHES; crash += 1) {
    let stopped = false;
    const work = Array.from({ length: 3 }, async (_unused, worker) => {
      while (!stopped) await runOne(engine, worker === 0).catch(() => delay(5));
    });
    // Some moment of the work: the point is that it is any.
    await delay(30 + Math.random() * 250);
    await engine.kill();
    stopped = true;
    await Promise.all(work);
    await engine.start();
    await settled();
    const all = await client.call('containerList', { all: true });
    const ids = all.map(({ Id }) => Id).sort();
    const running = all.flatMap(({ Id, State }) => (State === 'running' ? [Id] : [])).sort();
    const found = held(engine);
    assert.deepEqual(
      [...(found.directories ?? [])].sort(),
      ids,
      'each directory has its row, and the other way round',
    );
    for (const what of ['writable layers', 'namespaces', 'bundles', 'runtime records'] as const) {
      assert.deepEqual([...(found[what] ?? [])].sort(), running, what);
    }
    assert.deepEqual(found['exit files'], []);
    assert.deepEqual(await identityOf(kept), { pid, address }, 'the one that ran before runs on');
    for (const { Id, State } of all) {
      if (Id === kept) continue;
      const seen = await client.call('containerInspect', { id: Id });
      if (State === 'exited') assert.equal(seen.State.ExitCode, 4);
      await client.act('containerRemove', { id: Id, force: true });
    }
  }

  async function identityOf(id: string) {
    const seen = await client.call('containerInspect', { id });
    return { pid: seen.State.Pid, address: seen.NetworkSettings.IPAddress };
  }

  /** Containers that were running when the engine came back end within moments: their command does nothing. */
  async function settled(): Promise<void> {
    for (const { Id, State } of await client.call('containerList', { all: true })) {
      if (Id !== kept && State === 'running') await client.call('containerWait', { id: Id });
    }
  }
});

test('a restart policy holds, at whatever moment the engine is killed', { timeout: 120_000 }, async () => {
  await using engine = await startEngine();
  const { client } = engine;
  const body = createBody('busybox', ['sh', '-c', 'sleep 0.1; exit 1'], {});
  const HostConfig = { ...body.HostConfig, RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } };
  const { Id: id } = await client.call('containerCreate', {}, { body: { ...body, HostConfig } });
  const startedAt = async () => (await client.call('containerInspect', { id })).State.StartedAt;
  for (let crash = 0; crash < CRASHES / 2; crash += 1) {
    // A start by hand: the pauses begin anew, at 100 ms.
    await client.act('containerRestart', { id });
    // Some moment of running, ending, pausing and starting again.
    await delay(Math.random() * 1_000);
    await engine.kill();
    await engine.start();
    const before = await startedAt();
    for (let looks = 0; (await startedAt()) === before; looks += 1) {
      assert.ok(looks < 500, JSON.stringify((await client.call('containerInspect', { id })).State));
      await delay(20);
    }
  }
});

test('a restart that the engine was killed in the middle of is brought to its end', {
  timeout: 60_000,
}, async () => {
  await using engine = await startEngine();
  const { client } = engine;
  const script = 'trap "sleep 1; exit 0" TERM; echo up; while :; do sleep 0.05; done';
  // --rm: its end must not take it away either.
  const { Id: id } = await client.call(
    'containerCreate',
    {},
    { body: createBody('busybox', ['sh', '-c', script], { rm: true }) },
  );
  await client.act('containerStart', { id });
  const inspect = async () => (await client.call('containerInspect', { id })).State;
  const before = await inspect();
  for await (const _up of await client.bytes('containerLogs', { id, stdout: true, follow: true })) break;
  const since = ((Date.now() - 1_000) / 1_000).toFixed(3);
  const told = client.lines('events', { since, filter: { container: [id], event: ['kill'] } });
  const signalled = told.next();
  client.act('containerRestart', { id, timeout: 30 }).catch(() => undefined);
  await signalled;
  await engine.kill();
  await engine.start();
  for (let looks = 0; (await inspect()).StartedAt === before.StartedAt; looks += 1) {
    assert.ok(looks < 500, JSON.stringify(await inspect()));
    await delay(20);
  }
  assert.equal((await inspect()).Running, true);
});

test('a second engine on the same root is refused, and the first goes on', async () => {
  await using engine = await startEngine({ busybox: false });
  const { spawnSync } = await import('node:child_process');
  const main = new URL('./main.ts', import.meta.url).pathname;
  const args = [
    main,
    '--host',
    `unix://${engine.socketPath}2`,
    '--root',
    engine.root,
    '--run',
    engine.runDir,
  ];
  const second = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(second.status, 1);
  assert.match(second.stderr, /another engine runs with /);
  assert.equal((await engine.client.call('version', {})).Version, '0.1.0');
});

test('an engine of another root is refused the run directory of containers that run, also while their engine is away', async () => {
  await using engine = await startEngine();
  await using other = await tempRoot('other');
  const { spawnSync } = await import('node:child_process');
  const main = new URL('./main.ts', import.meta.url).pathname;
  const places = [
    '--host',
    `unix://${other.join('api.sock')}`,
    '--root',
    other.join('root'),
    '--run',
    engine.runDir,
  ];
  // One that is let in would serve until the timeout ends it.
  const intrude = () => spawnSync(process.execPath, [main, ...places], { encoding: 'utf8', timeout: 5_000 });
  const { client } = engine;
  const { Id } = await client.call(
    'containerCreate',
    {},
    { body: createBody('busybox', ['sleep', '1000'], {}) },
  );
  await client.act('containerStart', { id: Id });
  const { Pid } = (await client.call('containerInspect', { id: Id })).State;
  const beside = intrude();
  await engine.kill();
  const alone = intrude();
  await engine.start();
  const seen = await client.call('containerInspect', { id: Id });
  assert.deepEqual([seen.State.Status, seen.State.Pid], ['running', Pid]);
  assert.deepEqual([beside.status, alone.status], [1, 1]);
  assert.match(beside.stderr, /another engine runs with /);
  assert.match(alone.stderr, /holds containers of the engine with /);
});

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import test, { after } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startEngine } from '../workshop/testing/engine.ts';
import { tempRoot } from '../workshop/testing/temp.ts';
import { startRaw } from './testing/raw.ts';
import { clients, openSession, type ProgressSeen } from './testing/session.ts';
import { assertConforms, assertGrows, containersOf } from './testing/smoke.ts';
import { tapWire, type Wiretap } from './testing/wiretap.ts';

/** Calls under way: at the same time, cancelled, and with an engine or a client that goes away. */
const resources = new AsyncDisposableStack();
after(() => resources.disposeAsync());
const root = resources.use(await tempRoot('mcp'));
const engine = resources.use(await startEngine());
const { host } = engine;

const tap = () => tapWire(root.join(`tap-${randomUUID().slice(0, 8)}.sock`), engine.host);
const sleeping = (name: string) => ({ image: 'busybox', command: ['sleep', '1000'], network: 'none', name });

async function gone(prefix: string): Promise<void> {
  while ((await containersOf(host, prefix)).length > 0) await delay(10);
}

async function asked(wire: Wiretap, pattern: RegExp) {
  for (;;) {
    const found = wire.connections.find(
      ({ requests, closedAt }) => closedAt === undefined && pattern.test(requests.at(-1) ?? ''),
    );
    if (found) return found;
    await delay(5);
  }
}

test('a call that takes its time says every two seconds that it goes on', async () => {
  await using session = await openSession({ host });
  const seen: ProgressSeen[] = [];
  const run = { image: 'busybox', command: ['sleep', '4.5'], network: 'none', rm: true };
  await session.call('container_run', run, { onprogress: (one) => seen.push(one) });
  assert.ok(seen.length >= 3, JSON.stringify(seen));
  assertGrows(seen);
});

for (const client of clients) {
  test(`a client of ${client} runs a container, sees progress and gets what the schema says`, async () => {
    await using session = await openSession({ host, client });
    const tools = new Map((await session.list()).map((tool) => [tool.name, tool]));
    const seen: ProgressSeen[] = [];
    const run = { image: 'busybox', command: ['echo', 'done'], network: 'none', rm: true };
    const { data } = await session.call('container_run', run, { onprogress: (one) => seen.push(one) });
    assert.equal(data.stdout, 'done\n');
    assertConforms(tools.get('container_run'), data);
    assert.equal(seen[0]?.message, 'running');
    const { data: listed } = await session.call('container_list', {
      all: true,
      filter: ['label=berth.mcp=true'],
    });
    assertConforms(tools.get('container_list'), listed);
  });

  test(`a client of ${client} that cancels closes the engine's request within 100 ms`, async () => {
    await using wire = await tap();
    await using session = await openSession({ host: wire.host, client });
    const attempt = async (name: string) => {
      const cancel = new AbortController();
      const call = session.call('container_run', sleeping(name), { signal: cancel.signal });
      call.catch(() => {});
      const waiting = await asked(wire, /\/wait/);
      const cancelledAt = performance.now();
      cancel.abort();
      await assert.rejects(call);
      await gone(name);
      const goneMs = performance.now() - cancelledAt;
      assert.ok(waiting.closedAt !== undefined, 'the request is closed');
      return { closedMs: waiting.closedAt - cancelledAt, goneMs };
    };
    // The best of three: the machine has other things to do.
    const attempts = [];
    for (let at = 0; at < 3; at += 1) attempts.push(await attempt(`cancel-${clients.indexOf(client)}-${at}`));
    const seen = JSON.stringify(attempts);
    assert.ok(Math.min(...attempts.map(({ closedMs }) => closedMs)) < 100, seen);
    assert.ok(Math.min(...attempts.map(({ goneMs }) => goneMs)) < 1000, seen);
    assert.equal((await session.call('container_list')).isError, false);
  });
}

test('calls cancelled at any moment leave no container behind', async () => {
  await using session = await openSession({ host });
  const attempt = async (at: number) => {
    const call = session.call('container_run', sleeping(`moment-${at}`), {
      signal: AbortSignal.timeout(at * 12),
    });
    await assert.rejects(call);
  };
  for (let at = 0; at < 24; at += 4) {
    await Promise.all([attempt(at), attempt(at + 1), attempt(at + 2), attempt(at + 3)]);
  }
  const latest = performance.now();
  await gone('moment-');
  assert.ok(performance.now() - latest < 2000);
});

test('a cancelled pull closes the request', async () => {
  // A registry that takes the connection and never says a word.
  const silent = createServer(() => {});
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  await using wire = await tap();
  await using session = await openSession({ host: wire.host });
  const cancel = new AbortController();
  const call = session.call('image_pull', { image: `127.0.0.1:${port}/x` }, { signal: cancel.signal });
  call.catch(() => {});
  const pulling = await asked(wire, /\/images\/create/);
  const cancelledAt = performance.now();
  cancel.abort();
  await assert.rejects(call);
  while (pulling.closedAt === undefined) await delay(5);
  assert.ok(pulling.closedAt - cancelledAt < 1000, `${pulling.closedAt - cancelledAt} ms`);
  assert.equal((await session.call('image_list')).isError, false);
  silent.close();
});

test('eight calls at the same time are answered, each with its own', async () => {
  await using session = await openSession({ host });
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, at) =>
      session.call('container_run', {
        image: 'busybox',
        command: ['echo', `${at}`],
        network: 'none',
        rm: true,
      }),
    ),
  );
  assert.deepEqual(
    answers.map(({ data }) => data.stdout),
    Array.from({ length: 8 }, (_, at) => `${at}\n`),
  );
});

test('a slow call does not hold up a quick one', async () => {
  await using session = await openSession({ host });
  const slow = session.call('container_run', {
    image: 'busybox',
    command: ['sleep', '3'],
    network: 'none',
    rm: true,
  });
  const started = performance.now();
  await session.call('container_list');
  assert.ok(performance.now() - started < 1500);
  assert.equal((await slow).data.exitCode, 0);
});

for (const [how, leave] of [
  ['closes its end', (child: { stdin: { end(): void } | null }) => child.stdin?.end()],
  ['stops the server', (child: { kill(signal: NodeJS.Signals): void }) => child.kill('SIGTERM')],
] as const) {
  test(`a client that ${how} leaves no container that it waits for`, async () => {
    await using wire = await tap();
    await using server = await startRaw(['--host', wire.host]);
    const name = `left-${how.length}`;
    server.ask('tools/call', { name: 'container_run', arguments: sleeping(name) }).catch(() => {});
    await asked(wire, /\/wait/);
    leave(server.child);
    assert.equal(await server.ended, 0);
    assert.deepEqual(await containersOf(host, name), []);
  });
}

test('an engine that goes away for a moment is waited for', async () => {
  await using wire = await tap();
  await using session = await openSession({ host: wire.host });
  const run = { image: 'busybox', command: ['sh', '-c', 'sleep 2; echo over'], network: 'none', rm: true };
  const call = session.call('container_run', run);
  await asked(wire, /\/wait/);
  await wire.unplug();
  assert.match((await session.call('container_list')).text, /^unavailable: no engine answers.*\nhint: /s);
  await wire.plug();
  assert.equal((await session.call('container_list')).isError, false);
  assert.deepEqual((await call).data.stdout, 'over\n');
});

test('an engine that stays away fails the call, with a way to find out what became of it', async () => {
  await using wire = await tap();
  await using session = await openSession({ host: wire.host });
  const call = session.call('container_run', sleeping('away'));
  await asked(wire, /\/wait/);
  await wire.unplug();
  const { isError, text } = await call;
  assert.equal(isError, true);
  assert.match(text, /^unavailable: the engine went away.*\nhint: .*container_inspect/s);
  await engine.client.act('containerRemove', { id: 'away', force: true });
});

test('an engine that is killed and started again finishes the call', async () => {
  await using session = await openSession({ host });
  const running = Promise.withResolvers<void>();
  const run = { image: 'busybox', command: ['sh', '-c', 'sleep 3; echo over; exit 7'], network: 'none' };
  const onprogress = ({ message }: ProgressSeen) => message?.startsWith('running') && running.resolve();
  const call = session.call('container_run', run, { onprogress });
  await running.promise;
  await engine.kill();
  await engine.start();
  const { data } = await call;
  assert.deepEqual([data.exitCode, data.stdout], [7, 'over\n']);
});

test('what was not started here is not removed, unless the operator allowed it', async () => {
  const { Id: id } = await engine.client.call(
    'containerCreate',
    { name: 'foreign' },
    { body: { Image: 'busybox' } },
  );
  {
    await using session = await openSession({ host });
    const { isError, text } = await session.call('container_remove', { container: 'foreign', force: true });
    assert.equal(isError, true);
    assert.match(text, /^forbidden: foreign was not started through MCP.*\nhint: .*--allow-remove-any/s);
    assert.deepEqual(await containersOf(host, id), [id]);
  }
  await using session = await openSession({ host, flags: ['--allow-remove-any'] });
  assert.equal((await session.call('container_remove', { container: 'foreign' })).isError, false);
  assert.deepEqual(await containersOf(host, id), []);
});

test('a running container is removed only by force, and a hint says so', async () => {
  await using session = await openSession({ host });
  await session.call('container_run', { ...sleeping('running'), wait: false });
  assert.match((await session.call('container_list')).text, /\trunning\t/);
  const { text } = await session.call('container_remove', { container: 'running' });
  assert.match(text, /^conflict: .*\nhint: force: true/s);
  assert.equal(
    (await session.call('container_remove', { container: 'running', force: true })).isError,
    false,
  );
});

test('a read-only server changes nothing, whatever is called', async () => {
  const states = async () =>
    (await engine.client.call('containerList', { all: true })).map(({ Id, State }) => [Id, State]);
  const before = await states();
  const imagesBefore = await engine.client.call('imageList', {});
  await using session = await openSession({ host, flags: ['--read-only', '--allow-remove-any'] });
  const args = { image: 'busybox', container: before[0]?.[0] ?? 'x', force: true };
  for (const name of [
    'container_run',
    'container_remove',
    'image_pull',
    'container_list',
    'container_inspect',
    'container_logs',
    'image_list',
  ]) {
    await session.call(name, args).catch(() => {});
  }
  assert.deepEqual(await states(), before);
  assert.deepEqual(await engine.client.call('imageList', {}), imagesBefore);
});

test('a name in use is refused, and the container that has it stays', async () => {
  await using session = await openSession({ host });
  await session.call('container_run', { ...sleeping('taken'), wait: false });
  const { isError, text } = await session.call('container_run', sleeping('taken'));
  assert.equal(isError, true);
  assert.match(text, /^conflict: /);
  assert.equal((await containersOf(host, 'taken')).length, 1);
  await session.call('container_remove', { container: 'taken', force: true });
});

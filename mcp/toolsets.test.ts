import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { tokensOf } from './budget.ts';
import { openSession } from './testing/session.ts';

const resources = new AsyncDisposableStack();
after(() => resources.disposeAsync());
const { client, host } = resources.use(await startEngine());

const flags = ['--toolsets', 'network,volume'];
/** Most estimated tokens of what models are shown of the twelve tools. */
const MAX_TOKENS = 1050;

test('sets of tools are served where they are asked for, and by their kind', async () => {
  await using all = await openSession({ host, flags });
  const tools = (await all.list()).slice(7);
  assert.deepEqual(
    tools.map(({ name }) => name),
    [
      ...['network_list', 'network_inspect', 'network_create', 'network_connect', 'network_disconnect'],
      ...['network_remove', 'network_prune'],
      ...['volume_list', 'volume_inspect', 'volume_create', 'volume_remove', 'volume_prune'],
    ],
  );
  const shown = tokensOf(
    tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
  );
  assert.ok(shown <= MAX_TOKENS, `${shown} tokens`);
  await using reading = await openSession({ host, flags: [...flags, '--read-only'] });
  const names = (await reading.list()).map(({ name }) => name);
  assert.deepEqual(names.slice(4), ['network_list', 'network_inspect', 'volume_list', 'volume_inspect']);
  await using none = await openSession({ host });
  await assert.rejects(none.call('network_list'), /not found/);
});

test('a network is made, joined by name, left and removed', async () => {
  await using session = await openSession({ host, flags });
  const made = await session.call('network_create', { network: 'back', subnet: ['10.235.1.0/24'] });
  assert.equal(made.isError, false, made.text);
  const { text: list } = await session.call('network_list', { filter: ['type=custom'] });
  assert.match(list, new RegExp(`${made.data.id}\tback\tbridge\t10\\.235\\.1\\.0/24`));
  const sleeper = { image: 'busybox', command: ['sleep', '1000'], wait: false };
  const store = await session.call('container_run', { ...sleeper, name: 'store' });
  assert.equal(store.isError, false, store.text);
  const joined = { network: 'back', container: 'store' };
  const connected = await session.call('network_connect', { ...joined, alias: ['db'], ip: '10.235.1.9' });
  assert.equal(connected.text, 'store is on back');
  const command = ['nslookup', 'db'];
  const asked = await session.call('container_run', { image: 'busybox', command, network: 'back', rm: true });
  assert.match(String(asked.data.stdout), /10\.235\.1\.9/);
  const shown = await session.call('network_inspect', { network: 'back' });
  assert.deepEqual(
    [shown.data.subnets, shown.data.gateways, shown.data.containers, shown.data.truncated],
    [['10.235.1.0/24'], ['10.235.1.1'], { store: '10.235.1.9/24' }, false],
  );
  assert.match(
    shown.text,
    /^network: back [0-9a-f]{12}\ndriver: bridge\n[\s\S]*containers: store=10\.235\.1\.9\/24/,
  );
  const held = await session.call('network_remove', { network: 'back' });
  assert.match(held.text, /has active endpoints[\s\S]*\nhint: network_disconnect/);
  assert.equal((await session.call('network_disconnect', joined)).text, 'store is not on back any more');
  assert.match((await session.call('network_remove', { network: 'back' })).text, /^removed back/);
  const gone = await session.call('network_remove', { network: 'back' });
  assert.match(gone.text, /^notFound[\s\S]*\nhint: network_list/);
  await session.call('container_remove', { container: 'store', force: true });
});

test('a volume is made, keeps what a container writes, and is removed', async () => {
  await using session = await openSession({ host, flags });
  const made = await session.call('volume_create', { volume: 'kept' });
  assert.equal(made.text, 'there is kept');
  assert.match((await session.call('volume_list')).text, /^NAME\tDRIVER\tCREATED\nkept\tlocal\t/);
  const run = (command: string, volume: string) =>
    session.call('container_run', {
      image: 'busybox',
      command: ['sh', '-c', command],
      volumes: [volume],
      network: 'none',
      rm: true,
    });
  assert.equal((await run('echo here > /data/file', 'kept:/data')).data.exitCode, 0);
  const read = await run('cat /data/file; touch /data/x', 'kept:/data:ro');
  assert.equal(read.data.stdout, 'here\n');
  assert.match(String(read.data.stderr), /Read-only file system/);
  assert.match((await run('true', 'absent:/data')).text, /^notFound/);
  const shown = await session.call('volume_inspect', { volume: 'kept' });
  assert.deepEqual([shown.data.bytes, shown.data.containers], [5, 0]);
  assert.match(
    shown.text,
    /^volume: kept\ndriver: local\n[\s\S]*size: 5 ?B\ncontainers: 0\nlabels: berth\.mcp=true/,
  );
  const absent = await session.call('volume_inspect', { volume: 'absent' });
  assert.match(absent.text, /^notFound[\s\S]*\nhint: volume_list/);
  assert.equal((await session.call('volume_remove', { volume: 'kept' })).text, 'removed kept');
  assert.match((await session.call('volume_list')).text, /^no volumes/);
});

test('a prune takes what was made here and nothing uses', async () => {
  await using session = await openSession({ host, flags: [...flags, '--allow-remove-any'] });
  await client.call('networkCreate', {}, { body: { Name: 'theirs' } });
  await client.call('volumeCreate', {}, { body: { Name: 'theirs' } });
  for (const name of ['unused', 'used']) {
    await session.call('network_create', { network: name });
    await session.call('volume_create', { volume: name });
  }
  const on = { network: 'used', volumes: ['used:/data'], wait: false };
  const user = await session.call('container_run', { image: 'busybox', command: ['sleep', '1000'], ...on });
  const pruned = async (what: string) => (await session.call(`${what}_prune`)).data.removed;
  assert.deepEqual(await pruned('network'), ['unused']);
  assert.deepEqual(await pruned('volume'), ['unused']);
  await session.call('container_remove', { container: String(user.data.id), force: true });
  assert.deepEqual(await pruned('network'), ['used']);
  assert.deepEqual(await pruned('volume'), ['used']);
  assert.match((await session.call('network_prune')).text, /^no networks to remove/);
  await client.act('volumeRemove', { name: 'theirs' });
  await client.act('networkRemove', { id: 'theirs' });
});

test('what was not made through MCP is left alone', async () => {
  await using session = await openSession({ host, flags });
  await client.call('networkCreate', {}, { body: { Name: 'theirs' } });
  await client.call('volumeCreate', {}, { body: { Name: 'theirs' } });
  const { Id } = await client.call('containerCreate', { name: 'theirs' }, { body: { Image: 'busybox' } });
  const joined = { network: 'theirs', container: 'theirs' };
  for (const [tool, args] of [
    ['network_remove', { network: 'theirs' }],
    ['network_connect', joined],
    ['network_disconnect', joined],
    ['volume_remove', { volume: 'theirs' }],
    ['container_run', { image: 'busybox', volumes: ['theirs:/data'] }],
    ['network_create', { network: 'host' }],
    ['network_connect', { ...joined, network: 'host' }],
  ] as const) {
    const { isError, text } = await session.call(tool, args);
    assert.equal(isError, true, tool);
    assert.match(text, /^forbidden: .*(left alone|not allowed through MCP)\nhint: /, tool);
  }
  await client.act('containerRemove', { id: Id });
  await client.act('volumeRemove', { name: 'theirs' });
  await client.act('networkRemove', { id: 'theirs' });
});

import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { tokensOf } from './budget.ts';
import { openSession } from './testing/session.ts';

const resources = new AsyncDisposableStack();
after(() => resources.disposeAsync());
const { client, host } = resources.use(await startEngine());

const flags = ['--toolsets', 'network,volume'];
/** Most estimated tokens of what models are shown of the eight tools. */
const MAX_TOKENS = 750;

test('sets of tools are served where they are asked for, and by their kind', async () => {
  await using all = await openSession({ host, flags });
  const tools = (await all.list()).slice(7);
  assert.deepEqual(
    tools.map(({ name }) => name),
    [
      ...['network_list', 'network_create', 'network_connect', 'network_disconnect', 'network_remove'],
      ...['volume_list', 'volume_create', 'volume_remove'],
    ],
  );
  const shown = tokensOf(
    tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
  );
  assert.ok(shown <= MAX_TOKENS, `${shown} tokens`);
  await using reading = await openSession({ host, flags: [...flags, '--read-only'] });
  const names = (await reading.list()).map(({ name }) => name);
  assert.deepEqual(names.slice(4), ['network_list', 'volume_list']);
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
  assert.equal((await session.call('volume_remove', { volume: 'kept' })).text, 'removed kept');
  assert.match((await session.call('volume_list')).text, /^no volumes/);
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

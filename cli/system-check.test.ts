import assert from 'node:assert/strict';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { bundleBerth } from './testing/berth.ts';

test('system check says what is wrong in a line each, repairs it, and ends with 1 while something is', async () => {
  await using berth = await bundleBerth();
  await using engine = await startEngine();
  const { host, root } = engine;
  const check = (...flags: readonly string[]) => berth.run(['system', 'check', ...flags], { host });

  const sound = await check();
  assert.deepEqual([sound.code, sound.stdout], [0, '']);
  assert.match(sound.stderr, /^checked \d+: nothing is wrong\n$/);

  const [{ Id = '' } = {}] = await engine.client.call('imageList', {});
  const { Id: container } = await engine.client.call('containerCreate', {}, { body: { Image: 'busybox' } });
  await truncate(join(root, 'content/blobs/sha256', Id.slice(7)), 10);
  await rm(join(root, 'containers', container), { recursive: true });
  const found = await check();
  assert.equal(found.code, 1);
  const lines = found.stdout.trimEnd().split('\n');
  assert.equal(lines.length, 2, found.stdout);
  assert.match(
    lines[0] ?? '',
    /^the config of busybox:latest: its bytes are not .* \(\/.*\); repair: fetch it again/,
  );
  assert.match(
    lines[1] ?? '',
    new RegExp(`^container ${container.slice(0, 12)}: its directory is not there`),
  );
  assert.match(found.stderr, /: 2 wrong\n$/);

  const repaired = await check('--repair', '--format', 'json');
  assert.equal(repaired.code, 1);
  const outcomes = repaired.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).outcome);
  assert.deepEqual(outcomes, ['repaired', 'left']);
  assert.match(repaired.stderr, /: 2 wrong, 1 repaired\n$/);

  // A container whose volume somebody took away: it says so, and starts again with an empty one.
  const body = { Image: 'busybox', Cmd: ['true'], HostConfig: { Binds: ['data:/data'] } };
  const { Id: user } = await engine.client.call('containerCreate', {}, { body });
  await rm(join(root, 'volumes/data'), { recursive: true });
  await engine.kill();
  await engine.start();
  const start = () => berth.run(['start', user], { host });
  assert.match((await start()).stderr, /volume data: its directory \/.* is gone[\s\S]*system check --repair/);
  assert.match(
    (await check()).stdout,
    /^volume data: its directory is not there .*; repair: make an empty one/m,
  );
  assert.match((await check('--repair')).stdout, /^volume data: .*repaired/m);
  const started = await start();
  assert.deepEqual([started.code, started.stderr], [0, '']);

  // What was begun just now is let be.
  await mkdir(join(root, 'containers', 'd'.repeat(64)));
  await writeFile(join(root, 'content/blobs/sha256', 'd'.repeat(64)), '');
  for (const id of [container, user]) await engine.client.act('containerRemove', { id, force: true });
  const last = await check();
  assert.deepEqual([last.code, last.stdout], [0, '']);
});

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

  // What was begun just now is let be.
  await mkdir(join(root, 'containers', 'd'.repeat(64)));
  await writeFile(join(root, 'content/blobs/sha256', 'd'.repeat(64)), '');
  await engine.client.act('containerRemove', { id: container, force: true });
  assert.deepEqual((await check()).code, 0);
});

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { mountsBelow, tempRoot } from '../../workshop/testing/temp.ts';
import { mount } from '../host/syscalls.ts';
import { openDatabase } from '../state/database.ts';
import type { Fault } from '../state/faults.ts';
import { openVolumes } from './volumes.ts';

async function testVolumes(settledMs = 0) {
  const root = await tempRoot('volumes');
  const database = openDatabase(root.join('db'));
  const warnings: string[] = [];
  const volumes = openVolumes({
    root: root.join('volumes'),
    database,
    settledMs,
    onEvent: () => undefined,
    warn: (message) => warnings.push(message),
  });
  await volumes.recover({ held: new Map(), usersOf: () => [] });
  return {
    volumes,
    warnings,
    join: (...parts: readonly string[]) => root.join('volumes', ...parts),
    async faults(): Promise<readonly Fault[]> {
      const found = [];
      for (const look of volumes.checks()) found.push(await look());
      return found.filter((fault) => fault !== undefined);
    },
    async [Symbol.asyncDispose]() {
      database.close();
      await root[Symbol.asyncDispose]();
    },
  };
}

const memory = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' };

test('volumes whose directory is gone, and directories that are no volumes, are found and put right', async () => {
  await using fixture = await testVolumes();
  const { volumes, join } = fixture;
  for (const Name of ['kept', 'lost']) await volumes.create({ Name });
  assert.deepEqual(await fixture.faults(), []);
  rmSync(join('lost'), { recursive: true });
  mkdirSync(join('found', '_data'), { recursive: true });
  writeFileSync(join('found', '_data', 'file'), '');
  for (const name of ['empty', 'full', '.removing/half']) mkdirSync(join(name));
  writeFileSync(join('full', 'file'), '');
  const faults = await fixture.faults();
  assert.deepEqual(faults.map(({ what, problem }) => `${what}: ${problem}`).toSorted(), [
    'a volume that was removed: its files are still there',
    'the directory empty: it is no volume: there is no _data in it',
    'the directory found: no volume has this name',
    'the directory full: it is no volume: there is no _data in it',
    'volume lost: its directory is not there',
  ]);
  for (const { where, mend } of faults)
    if (where === join('full')) await assert.rejects(async () => await mend?.(), /ENOTEMPTY/);
    else await mend?.();
  assert.deepEqual(
    volumes.list({}).Volumes?.map(({ Name }) => Name),
    ['found', 'kept', 'lost'],
  );
  assert.deepEqual(
    [
      existsSync(join('lost', '_data')),
      existsSync(join('found/_data/file')),
      existsSync(join('.removing/half')),
    ],
    [true, true, false],
  );
  assert.deepEqual(
    (await fixture.faults()).map(({ where }) => where),
    [join('full')],
  );
});

test('a volume is mounted while a container that runs has it, and not else', async () => {
  await using fixture = await testVolumes();
  const { volumes, join } = fixture;
  await volumes.create({ Name: 'memory', DriverOpts: memory });
  const target = join('memory', '_data');
  mount({ source: 'tmpfs', target, type: 'tmpfs', flags: [] });
  const [stray] = await fixture.faults();
  assert.deepEqual([stray?.kind, stray?.problem], ['mount', 'it is mounted, and no container runs with it']);
  await stray?.mend?.();
  assert.deepEqual(await mountsBelow(target), []);
  await volumes.hold(['memory'], 'somebody');
  assert.deepEqual(await fixture.faults(), []);
  volumes.release('other');
  await fixture.volumes.recover({ held: new Map(), usersOf: () => [] });
  volumes.release('somebody');
  assert.deepEqual(await mountsBelow(target), []);
});

test('what is young is let be', async () => {
  await using fixture = await testVolumes(60_000);
  mkdirSync(fixture.join('coming', '_data'), { recursive: true });
  mkdirSync(fixture.join('.removing', 'going'));
  assert.deepEqual(await fixture.faults(), []);
});

test('a volume that a container has is not forgotten because its directory is gone', async () => {
  await using fixture = await testVolumes();
  const { volumes, join, warnings } = fixture;
  const labels = { keep: 'me' };
  for (const Name of ['used', 'unused']) await volumes.create({ Name, Labels: labels });
  for (const name of ['used', 'unused']) rmSync(join(name), { recursive: true });
  const usersOf = (name: string) => (name === 'used' ? ['somebody'] : []);
  await volumes.recover({ held: new Map(), usersOf });
  assert.deepEqual(
    volumes.list({}).Volumes?.map(({ Name, Labels }) => [Name, Labels]),
    [['used', labels]],
  );
  assert.match(warnings.join(), /volume used could not be recovered: .*its directory is not there/);
  await assert.rejects(volumes.hold(['used'], 'somebody'), /volume used: its directory .* is gone/);
});

test('what a volume takes is told with it where that is asked', async () => {
  await using fixture = await testVolumes();
  const { volumes, join } = fixture;
  await volumes.create({ Name: 'kept' });
  await volumes.create({ Name: 'memory', DriverOpts: memory });
  writeFileSync(join('kept', '_data', 'file'), Buffer.alloc(5_000));
  assert.equal(volumes.inspect('kept').UsageData, undefined);
  assert.deepEqual((await volumes.inspectUsage('kept')).UsageData, { RefCount: 0, Size: 5_000 });
  assert.equal((await volumes.inspectUsage('memory')).UsageData?.Size, -1);
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { mountsBelow, tempRoot } from '../../workshop/testing/temp.ts';
import { mount } from '../host/syscalls.ts';
import { containerChecks } from './check.ts';

type Context = Parameters<typeof containerChecks>[0];

test('directories and mounts that are no container are found, and removed', async () => {
  await using root = await tempRoot('container-check');
  const [stray, held] = ['a'.repeat(64), 'b'.repeat(64)];
  await root.directory('containers', stray);
  const mounted = await root.directory('containers', held, 'rootfs');
  mount({ source: 'tmpfs', target: mounted, type: 'tmpfs', flags: [] });
  const store = { all: () => [], byId: () => undefined };
  const context = { root: root.path, runDir: root.path, store } as unknown as Context;
  const faults = async (settledMs: number) => {
    const looks = await containerChecks(context, settledMs).checks();
    const found = [];
    for (const look of looks) found.push(await look());
    return found.filter((fault) => fault !== undefined);
  };

  const young = await faults(60_000);
  assert.deepEqual(
    young.map(({ kind, where }) => [kind, where]),
    [['mount', mounted]],
  );
  const [first, second, third] = (await faults(0)).toSorted((a, b) => (a.where < b.where ? -1 : 1));
  assert.deepEqual([first?.kind, second?.kind, third?.kind], ['container', 'container', 'mount']);
  // What is mounted in a directory is not deleted with it.
  await assert.rejects(second?.mend?.() ?? Promise.resolve(), /is mounted there/);
  for (const fault of [third, first, second]) await fault?.mend?.();
  assert.deepEqual(await mountsBelow(root.path), []);
  assert.ok(!existsSync(root.join('containers', stray)) && !existsSync(root.join('containers', held)));
  assert.deepEqual(await faults(0), []);
});

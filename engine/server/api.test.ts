import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import test, { after, before, describe } from 'node:test';
import type { Harbour } from '../../workshop/testing/api/case.ts';
import { type Notes, recorded } from '../../workshop/testing/api/recording.ts';
import { cases } from '../../workshop/testing/api/suite.ts';
import type { Subject } from '../../workshop/testing/api/wire.ts';
import { coverageOf } from '../../workshop/testing/compatibility/coverage.ts';
import { compatibilityPage, uncovered } from '../../workshop/testing/compatibility/page.ts';
import { busyboxImage, pushImage } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { subjects } from '../../workshop/testing/subjects.ts';

/** What the cases that passed on this engine asked and looked at. */
const notes: Notes[] = [];
const page = new URL('../../docs/compatibility.md', import.meta.url);

for (const [name, { skip, start }] of Object.entries(subjects)) {
  describe(`the Engine API of ${name}`, { concurrency: 4, skip: skip ?? false }, () => {
    const stack = new AsyncDisposableStack();
    const started = Promise.withResolvers<readonly [Subject, Harbour]>();
    before(async () => {
      const registry = stack.use(await startRegistry());
      // Images of their own: a name that another case gives busybox for a while would change what may be removed.
      const { layers, config } = await busyboxImage();
      const names = ['busybox', 'pinned', 'listed', 'removed', 'pruned'];
      for (const name of names.map((one) => `harbour/${one}`))
        await pushImage({ registry, name, layers, config: { ...config, Labels: { name } } });
      const locked = stack.use(await startRegistry({ mode: 'htpasswd' }));
      const { credentials = { username: '', password: '' } } = locked;
      const labelled = { ...config, Labels: { name: 'harbour/locked' } };
      await pushImage({ registry: locked, name: 'harbour/locked', layers, config: labelled });
      const subject = stack.use(await start());
      if (subject === undefined) throw new Error(`${name} did not start`);
      for (const { host } of [registry, locked]) await subject.reachPort(Number(host.split(':')[1]));
      started.resolve([subject, { registry: registry.host, locked: { host: locked.host, ...credentials } }]);
    });
    after(() => stack.disposeAsync());
    for (const [title, check] of Object.entries(cases)) {
      test(title, { timeout: 60_000 }, async () => {
        const [subject, harbour] = await started.promise;
        if (subject.name !== 'berth') return await check(subject, harbour);
        notes.push(await recorded(title, () => check(subject, harbour)));
      });
    }
  });
}

test('docs/compatibility.md says what the cases showed (UPDATE_SNAPSHOTS=1 writes it)', async (t) => {
  if (notes.length < Object.keys(cases).length) return t.skip('not all cases ran and passed');
  // In the suite's order: cases end in that of the machine.
  const order = Object.keys(cases);
  const coverage = coverageOf(notes.toSorted((a, b) => order.indexOf(a.title) - order.indexOf(b.title)));
  const now = compatibilityPage(coverage);
  if (process.env.UPDATE_SNAPSHOTS === '1') await writeFile(page, now);
  assert.deepEqual(uncovered(coverage), [], 'the engine has these, and no case shows them');
  assert.equal(now, await readFile(page, 'utf8'));
});

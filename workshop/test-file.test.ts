import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import test from 'node:test';
import { findLeftovers, recordMachine, removeLeftovers } from './leftovers.ts';
import { runTestFile } from './test-file.ts';
import { tempRoot } from './testing/temp.ts';

/** Runs these lines as a test file, in a test run of its own. */
async function runLines(run: string, ...lines: readonly string[]) {
  await using root = await tempRoot('lines');
  const file = root.join('lines.test.ts');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, ["import test, { describe } from 'node:test';", ...lines].join('\n'));
  return await runTestFile(file, { run, signal: new AbortController().signal });
}

test('how each test ended is told, under the names of what it is in', async () => {
  const { outcomes, trouble } = await runLines(
    'lines1',
    "describe('outer', () => { test('good', () => {}); test('bad', () => { throw new Error('because'); }); });",
    "test('later', { skip: 'no dockerd' }, () => {});",
  );
  assert.deepEqual(
    outcomes.map(({ outcome, name }) => [outcome, name]),
    [
      ['passed', 'outer › good'],
      ['failed', 'outer › bad'],
      ['skipped', 'later'],
    ],
  );
  assert.match(outcomes[1]?.why ?? '', /because/);
  assert.equal(outcomes[2]?.why, 'no dockerd');
  assert.equal(trouble, undefined);
});

test('a file that fails outside of its tests, or has none, is in trouble', async () => {
  const thrown = await runLines('lines2', "throw new Error('at load');");
  assert.equal(thrown.trouble, 'ended with exit code 1');
  assert.match(thrown.output, /at load/);
  assert.equal((await runLines('lines3')).trouble, 'has no tests');
});

test('a process, a mount and a directory that a file leaves are found, and removed', async () => {
  const run = `l${process.pid.toString(36)}`;
  const before = recordMachine();
  const { trouble } = await runLines(
    run,
    "import { spawn, spawnSync } from 'node:child_process';",
    `import { tempRoot } from '${import.meta.dirname}/testing/temp.ts';`,
    "test('careless', async () => {",
    "  const { path } = await tempRoot('careless');",
    "  spawnSync('mount', ['-t', 'tmpfs', 'none', path]);",
    "  spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).unref();",
    '});',
  );
  assert.equal(trouble, undefined);
  const leftovers = await findLeftovers({ run, before });
  assert.deepEqual(leftovers.map(({ kind }) => kind).toSorted(), ['directory', 'mount', 'process']);
  await removeLeftovers(leftovers);
  assert.deepEqual(await findLeftovers({ run, before }), []);
  const directory = leftovers.find(({ kind }) => kind === 'directory')?.what ?? '';
  assert.equal(existsSync(directory), false);
});

test('what an engine that is gone leaves in the kernel is found by its name', async () => {
  const before = recordMachine();
  const name = `berth-${process.pid.toString(16).padStart(8, '0')}`;
  assert.equal(spawnSync('ip', ['link', 'add', name, 'type', 'bridge']).status, 0);
  assert.equal(spawnSync('nft', ['add', 'table', 'ip', name]).status, 0);
  const testRun = { run: 'lines5', before };
  const found = (await findLeftovers(testRun)).filter(({ what }) => what.includes(name));
  await removeLeftovers(found);
  assert.deepEqual(found, [
    { kind: 'bridge', what: name },
    { kind: 'nftables', what: `ip ${name}` },
  ]);
  assert.equal((await findLeftovers(testRun)).filter(({ what }) => what.includes(name)).length, 0);
});

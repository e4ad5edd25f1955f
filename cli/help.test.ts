import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import test from 'node:test';
import { entries, families } from './commands/index.ts';
import { bundleBerth } from './testing/berth.ts';

const golden = new URL('../snapshots/cli/help.txt', import.meta.url);

test('help is that of snapshots/cli/help.txt (UPDATE_SNAPSHOTS=1 writes it)', async () => {
  await using berth = await bundleBerth();
  const lines = ['', ...families, ...entries.map(({ names }) => names[0])].filter(
    // Those two read their own flags, --help included, and are not built here.
    (name) => name !== 'ui' && name !== 'mcp',
  );
  const helps = await Promise.all(
    lines.map(async (name) => {
      const args = name === '' ? ['--help'] : [...name.split(' '), '--help'];
      const { code, stdout, stderr } = await berth.run(args);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' }, name);
      for (const line of stdout.split('\n')) assert(line.length <= 80, line);
      return `$ berth ${args.join(' ')}\n${stdout}`;
    }),
  );
  const now = helps.join('\n');
  if (process.env.UPDATE_SNAPSHOTS === '1') await writeFile(golden, now);
  assert.equal(now, await readFile(golden, 'utf8'));
});

test('help is found in every way that people look for it', async () => {
  await using berth = await bundleBerth();
  const [top, run, ui] = await Promise.all([
    berth.run(['--help']),
    berth.run(['run', '--help']),
    berth.run(['help', 'ui']),
  ]);
  for (const args of [[], ['help'], ['-h']]) assert.deepEqual(await berth.run(args), top);
  assert.deepEqual(await berth.run(['help', 'run']), run);
  assert.match(ui.stdout, /^Usage: berth ui/);
  assert.match(
    (await berth.run(['container', 'run', '--help'])).stdout,
    /^Usage: berth container run .*\n[\s\S]*Also: berth run\n/,
  );
});

test('every command says what it does, takes examples from itself, and has no flag twice', async () => {
  for (const { names, summary, load } of entries) {
    assert.match(summary, /^[A-Z][^.]+$/, names[0]);
    const { command } = await load();
    for (const { line, does } of command.examples) {
      assert.match(does, /^[A-Z]/);
      assert(names.some((name) => line.includes(`berth ${name}`)) || line.includes('berth '), line);
    }
    const shorts = Object.values(command.flags).flatMap(({ short }) => short ?? []);
    assert.equal(new Set(shorts).size, shorts.length, names[0]);
  }
});

test('the version is told without an engine', async () => {
  await using berth = await bundleBerth();
  const { code, stdout } = await berth.run(['--version'], { host: 'unix:///no/such.sock' });
  assert.equal(code, 0);
  assert.match(stdout, /^berth version \d+\.\d+\.\d+\n$/);
});

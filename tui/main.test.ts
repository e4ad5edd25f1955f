import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test, { after, before } from 'node:test';
import { execa } from 'execa';
import { type TempRoot, tempRoot } from '../workshop/testing/temp.ts';
import { openTerminal } from '../workshop/testing/terminal.ts';
import { type Crowd, startCrowd } from './testing/crowd.ts';
import { buildDashboard, dashboardCommand, openDashboard } from './testing/dashboard.ts';

let root: TempRoot;
let crowd: Crowd;
let host = '';

before(async () => {
  await buildDashboard();
  root = await tempRoot('ui');
  crowd = await startCrowd({ socketPath: root.join('api.sock'), count: 300 });
  host = crowd.host;
});

after(async () => {
  await crowd[Symbol.asyncDispose]();
  await root[Symbol.asyncDispose]();
});

async function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const [program = '', ...args] = dashboardCommand(host);
  const result = await execa(program, [...args.slice(0, 1), ...argv], {
    env,
    reject: false,
    stdin: 'ignore',
  });
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

test('without a terminal the plain list is printed, and why', async () => {
  const { exitCode, stdout, stderr } = await run(['-H', host]);
  assert.equal(exitCode, 0);
  assert.equal(stderr, 'berth: the dashboard needs a terminal; this is the plain list');
  const lines = stdout.split('\n');
  assert.equal(lines.length, 301);
  assert.match(lines[0] ?? '', /^NAMES +IMAGE +COMMAND +CREATED +STATUS +PORTS$/);
  assert.match(lines[2] ?? '', /^service-1 .* Up 2 hours +0\.0\.0\.0:20001->8080\/tcp$/);
});

test('without a terminal and without an engine it says what to do', async () => {
  const { exitCode, stdout, stderr } = await run([`--host=unix://${root.join('none.sock')}`]);
  assert.equal(exitCode, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /berth: no engine answers at unix:\/\/.*none\.sock\nberth engine start$/);
});

test('flags are those that the help tells of, and others are refused', async () => {
  const help = await run(['--help']);
  assert.equal(help.exitCode, 0);
  assert.match(help.stdout, /^Usage: berth ui/);
  for (const argv of [['--nope'], ['extra'], ['--host'], ['--host', 'ftp://x']]) {
    const { exitCode, stdout, stderr } = await run(argv);
    assert.equal(exitCode, 125, argv.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^berth: .+/);
  }
});

test('an engine that is not there yet is waited for', async () => {
  const socketPath = root.join('late.sock');
  await using terminal = openDashboard(`unix://${socketPath}`);
  await terminal.waitFor('no engine answers at');
  await terminal.waitFor('berth engine start');
  await using _late = await startCrowd({ socketPath, count: 3 });
  await terminal.waitFor('service-0 ');
});

test('ages go on while nothing else happens', async () => {
  await using young = await startCrowd({ socketPath: root.join('young.sock'), count: 1, ageS: 53 });
  await using terminal = openDashboard(young.host, { columns: 160 });
  await terminal.waitFor(/service-0 .* Less than a minute ago/);
  await terminal.waitFor(/service-0 .* About a minute ago/);
  assert.match(terminal.screen(), /Exited \(0\) 2 hours ago/);
});

test('a long list scrolls with the cursor, and stops at its ends', async () => {
  await using terminal = openDashboard(host);
  await terminal.waitFor(/▸ . service-0 /);
  terminal.send('k');
  terminal.send('jjjjjjjjjjjj');
  await terminal.waitFor(/▸ . service-12 /);
  terminal.send('G');
  await terminal.waitFor(/▸ . service-299 /);
  terminal.send('jj\x1b[5~');
  await terminal.waitFor(/▸ . service-290 /);
  terminal.send('g');
  await terminal.waitFor(/▸ . service-0 /);
});

test('what is pasted is never a command', async () => {
  await using terminal = openDashboard(host);
  await terminal.waitFor(/▸ . service-0 /);
  terminal.send('\x1b[200~qdyG\x1b[201~');
  terminal.send('/');
  terminal.send('\x1b[200~service-29\n\x1b[201~');
  await terminal.waitFor(/ \/service-29$/);
  await terminal.waitFor((screen) => screen.includes('service-290') && !screen.includes('service-0 '));
});

const endings = [
  { how: 'q', code: 0, keys: 'q' },
  { how: 'Ctrl-C', code: 0, keys: '\x03' },
  { how: 'SIGTERM', code: 143, signal: 'SIGTERM' },
  { how: 'SIGHUP', code: 129, signal: 'SIGHUP' },
  { how: 'a throw', code: 1, signal: 'SIGUSR2' },
] as const;

for (const { how, code, ...by } of endings) {
  test(`the terminal is given back whole after ${how}`, async () => {
    const command = dashboardCommand(host).join(' ');
    const script = `stty -a >${root.path}/before; echo earlier; ${command} & echo $! >${root.path}/pid; fg >/dev/null; echo "code $?"; stty -a >${root.path}/after; cmp ${root.path}/before ${root.path}/after && echo same`;
    await using terminal = openTerminal({ command: ['bash', '-mc', script] });
    await terminal.waitFor((screen) => screen.includes('1 Containers ') && terminal.modes().bracketedPaste);
    assert.deepEqual(terminal.modes(), { alternateScreen: true, cursorHidden: true, bracketedPaste: true });
    if ('keys' in by) terminal.send(by.keys);
    else process.kill(Number(await readFile(root.join('pid'), 'utf8')), by.signal);
    const screen = await terminal.waitFor('same');
    assert.match(
      screen,
      new RegExp(
        `^earlier\\n(?:berth: the dashboard broke down: Error: thrown by a test\\n[\\s\\S]*)?code ${code}\\nsame`,
      ),
    );
    assert.deepEqual(terminal.modes(), {
      alternateScreen: false,
      cursorHidden: false,
      bracketedPaste: false,
    });
  });
}

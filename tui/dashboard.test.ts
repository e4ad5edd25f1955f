import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { loadBusybox, type Peer, peerMissing, startDockerd } from '../workshop/testing/peers.ts';
import { type TempRoot, tempRoot } from '../workshop/testing/temp.ts';
import { buildDashboard, openDashboard, prepareEngine, type TestEngine } from './testing/dashboard.ts';
import { expectFrame } from './testing/frames.ts';
import { startRelay } from './testing/relay.ts';

const skip = await peerMissing('dockerd');
const SERVE = ['sh', '-c', 'echo ready; while read -r line; do echo "got $line"; done; sleep 1000'];

let dockerd: Peer | undefined;
let root: TempRoot;
let engine: TestEngine;
let host = '';

before(async () => {
  await buildDashboard();
  root = await tempRoot('ui');
  dockerd = await startDockerd();
  if (dockerd === undefined) return;
  host = dockerd.host;
  engine = prepareEngine(host);
  await loadBusybox(host);
});

after(async () => {
  engine?.client.close();
  await dockerd?.[Symbol.asyncDispose]();
  await root?.[Symbol.asyncDispose]();
});

/** Opens the dashboard once the containers are there, with the named one selected. */
async function openOn(name: string, options: Parameters<typeof openDashboard>[1] = {}) {
  await using undo = new AsyncDisposableStack();
  const terminal = undo.use(openDashboard(host, options));
  await terminal.waitFor('Containers ');
  await select(terminal, name);
  undo.move();
  return terminal;
}

async function select(terminal: ReturnType<typeof openDashboard>, name: string): Promise<void> {
  await terminal.waitFor(new RegExp(` ${name} `));
  terminal.send('g');
  // The cursor may have been further down; a key sent before this one is drawn would be counted from there.
  await terminal.waitFor(/^ +NAMES .*\n▸/m);
  for (let step = 0; step < 30 && !selectedRow(terminal.screen()).includes(` ${name} `); step += 1) {
    const before = selectedRow(terminal.screen());
    terminal.send('j');
    await terminal.waitFor((screen) => selectedRow(screen) !== before);
  }
}

function selectedRow(screen: string): string {
  return screen.split('\n').find((line) => line.startsWith('▸')) ?? '';
}

test('containers, their state and their logs are shown', { skip }, async () => {
  await engine.clear();
  await engine.run('job', ['sh', '-c', 'echo no luck >&2; exit 3'], { wait: true });
  await engine.run('waiting', ['top'], { start: false });
  await engine.run('web', ['sh', '-c', 'for n in 1 2 3; do echo "line $n"; done; sleep 1000'], {
    env: ['COLOUR=blue'],
    label: ['tier=front'],
    volume: ['/tmp:/data:ro'],
  });
  await using terminal = await openOn('web');
  await terminal.waitFor('line 3');
  await expectFrame(terminal, 'containers');
  terminal.send('i');
  await terminal.waitFor('Hostname');
  await expectFrame(terminal, 'summary');
  terminal.send(']');
  await expectFrame(terminal, 'env');
  terminal.send(']');
  await expectFrame(terminal, 'mounts');
  terminal.send(']');
  await expectFrame(terminal, 'labels');
  terminal.send('?');
  await expectFrame(terminal, 'help');
  terminal.send('\x1b');
  await terminal.waitFor('NAMES');
  terminal.send('2');
  await terminal.waitFor('REPOSITORY');
  await expectFrame(terminal, 'images');
  terminal.send('q');
  assert.deepEqual(await terminal.exited, { exitCode: 0, signal: 0 });
});

test('the list follows what happens in the engine', { skip }, async () => {
  await engine.clear();
  await using terminal = openDashboard(host);
  await terminal.waitFor('no containers yet');
  const id = await engine.run('guest', SERVE, { interactive: true });
  await terminal.waitFor(/● guest .* Up Less than a minute/);
  await engine.client.act('containerKill', { id });
  await terminal.waitFor(/✗ guest .* Exited \(137\)/);
  await engine.client.act('containerRemove', { id });
  await terminal.waitFor('no containers yet');
});

test('a container is stopped, started, restarted and, after a yes, removed', { skip }, async () => {
  await engine.clear();
  await engine.run('guest', SERVE, { interactive: true });
  await using terminal = await openOn('guest');
  terminal.send('s');
  await terminal.waitFor(/✗ guest .* Exited \(137\)/);
  terminal.send('S');
  await terminal.waitFor(/● guest .* Up /);
  terminal.send('S');
  await terminal.waitFor('guest is running already');
  const [before] = await engine.client.call('containerList', {});
  const startedAt = async () =>
    (await engine.client.call('containerInspect', { id: before?.Id ?? '' })).State.StartedAt;
  const first = await startedAt();
  terminal.send('r');
  await terminal.waitFor('Restarting…');
  await terminal.waitFor(/● guest .* Up /);
  assert.notEqual(await startedAt(), first);
  terminal.send('d');
  await expectFrame(terminal, 'confirm');
  terminal.send('n');
  await terminal.waitFor('q quit');
  assert.equal((await engine.client.call('containerList', { all: true })).length, 1);
  terminal.send('dy');
  await terminal.waitFor('no containers yet');
  assert.equal((await engine.client.call('containerList', { all: true })).length, 0);
});

test('what the engine refuses is shown with its reason, and goes with the next key', { skip }, async () => {
  await engine.clear();
  await engine.run('broken', ['no-such-program'], { start: false });
  await using terminal = await openOn('broken');
  terminal.send('S');
  await terminal.waitFor(/✗ start broken:[\s\S]*no-such-program/);
  terminal.send('\x1b');
  await terminal.waitFor('q quit');
});

test('an image in use is kept, and the reason shown', { skip }, async () => {
  await engine.clear();
  await engine.run('guest', SERVE, { interactive: true });
  await using terminal = openDashboard(host);
  terminal.send('2');
  await terminal.waitFor(/▸ ▪ busybox/);
  terminal.send('d');
  await terminal.waitFor('Remove image busybox:latest? y yes · n no');
  terminal.send('y');
  await terminal.waitFor(/✗ remove busybox:latest: conflict/);
  await terminal.waitFor(/▸ ▪ busybox/);
});

test('the filter follows each key, and Esc brings all back', { skip }, async () => {
  await engine.clear();
  for (const name of ['alpha', 'beta', 'gamma']) await engine.run(name, ['true'], { start: false });
  await using terminal = openDashboard(host);
  await terminal.waitFor('gamma');
  // As one piece: who types fast sends it so.
  terminal.send('/!alp ta');
  await terminal.waitFor((screen) => screen.includes('beta') && !screen.includes('gamma'));
  terminal.send('\r');
  await expectFrame(terminal, 'filter');
  terminal.send('\x1b');
  await terminal.waitFor(/gamma[\s\S]*alpha/);
});

test('stopped containers are hidden and shown', { skip }, async () => {
  await engine.clear();
  await engine.run('over', ['true'], { wait: true });
  await engine.run('alive', SERVE, { interactive: true });
  await using terminal = openDashboard(host);
  await terminal.waitFor('over');
  terminal.send('e');
  await terminal.waitFor((screen) => screen.includes('stopped ones hidden') && !screen.includes(' over '));
  terminal.send('e');
  await terminal.waitFor(' over ');
});

test('logs follow, scroll back, and follow again', { skip }, async () => {
  await engine.clear();
  const script = 'for n in $(seq 1 500); do echo "line $n"; done; read -r x; echo "then $x"; sleep 1000';
  const id = await engine.run('talker', ['sh', '-c', script], { interactive: true });
  await using terminal = await openOn('talker');
  await terminal.waitFor('line 500');
  terminal.send('lg');
  // The last 200 lines come first, no more.
  await terminal.waitFor(/─\n line 301\n/);
  await terminal.waitFor('below · f follows');
  const input = await engine.client.upgrade('containerAttach', { id, stream: true, stdin: true });
  input.write('hello\n');
  await terminal.waitFor('190 below');
  terminal.send('f');
  await terminal.waitFor('then hello');
  await terminal.waitFor(' following ');
  input.destroy();
});

test('a log reaches the screen in colour, and without any other escape', { skip }, async () => {
  await engine.clear();
  const script = `printf '\\033[31mred\\033[0m \\033]0;title\\007\\033[2Jafter\\tTAB \\033[5;5Hplaced\\n'; sleep 1000`;
  await engine.run('rude', ['sh', '-c', script]);
  await using terminal = await openOn('rude');
  await terminal.waitFor(' red after       TAB placed');
  assert.ok(!terminal.written().includes('title'), 'the window is not renamed');
  assert.match(terminal.written(), /\x1b\[31mred/);
});

test('a lost engine is seen at once, and found again with the selection kept', { skip }, async () => {
  await engine.clear();
  for (const name of ['one', 'two', 'three']) await engine.run(name, SERVE, { interactive: true });
  await using relay = await startRelay({ from: root.join('relay.sock'), to: dockerd?.socketPath ?? '' });
  const real = host;
  host = relay.host;
  await using terminal = await openOn('two');
  host = real;
  await terminal.waitFor('ready');
  await relay.cut();
  await terminal.waitFor('connection lost');
  const [two] = await engine.client.call('containerList', { filter: { name: ['two'] } });
  await engine.run('four', SERVE, { interactive: true });
  await engine.client.act('containerKill', { id: two?.Id ?? '' });
  const restoredAt = performance.now();
  await relay.restore();
  await terminal.waitFor(/▸ ✗ two .* Exited/);
  await terminal.waitFor('four');
  assert.ok(performance.now() - restoredAt < 2000, 'within two seconds');
  await terminal.waitFor('connected again');
  await engine.client.act('containerStart', { id: two?.Id ?? '' });
  await terminal.waitFor(/▸ ● two .* Up/);
});

test('nothing is written and nothing asked while nothing happens', { skip }, async () => {
  await engine.clear();
  await engine.run('quiet', SERVE, { interactive: true });
  await using relay = await startRelay({ from: root.join('idle.sock'), to: dockerd?.socketPath ?? '' });
  await using terminal = openDashboard(relay.host);
  await terminal.waitFor('ready');
  await terminal.waitFor(' following ');
  await new Promise((done) => setTimeout(done, 300));
  const before = { ...terminal.output(), asked: relay.sentBytes() };
  await new Promise((done) => setTimeout(done, 1500));
  assert.deepEqual({ ...terminal.output(), asked: relay.sentBytes() }, before);
});

test('after any resizing the screen is as if drawn for that size', { skip }, async () => {
  await engine.clear();
  for (const name of ['one', 'two', 'three']) await engine.run(name, ['true'], { start: false });
  await using resized = openDashboard(host);
  await resized.waitFor('three');
  let seed = 7;
  const next = (limit: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % limit;
  };
  for (let round = 0; round < 40; round += 1) resized.resize(30 + next(120), 6 + next(40));
  resized.resize(39, 30);
  await resized.waitFor('too small: 39×30, needs 40×10');
  for (const [columns, rows] of [
    [60, 15],
    [140, 40],
    [44, 11],
  ] as const) {
    resized.resize(columns, rows);
    await using fresh = openDashboard(host, { columns, rows });
    const expected = await fresh.waitFor(
      (screen) => screen.includes('three') && screen.includes('no output'),
    );
    await resized.waitFor((screen) => screen === expected);
  }
});

test('NO_COLOR takes the colours, and BERTH_ICONS=ascii the symbols', { skip }, async () => {
  await engine.clear();
  await engine.run('over', ['false'], { wait: true });
  await engine.run('rude', ['sh', '-c', `printf '\\033[31mred\\033[0m\\n'; sleep 1000`]);
  await using terminal = await openDashboard(host, { env: { NO_COLOR: '1', BERTH_ICONS: 'ascii' } });
  await terminal.waitFor(/> \* rude [\s\S]* x over /);
  await terminal.waitFor(' red');
  assert.doesNotMatch(terminal.written(), /\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m/);
});

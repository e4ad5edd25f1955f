import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import test from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { tempRoot } from '../workshop/testing/temp.ts';
import { bundleBerth } from './testing/berth.ts';
import { begin, containerOf, type Given, print } from './testing/given.ts';

test('an engine is started, shown, read and stopped', async () => {
  await using berth = await bundleBerth();
  await using root = await tempRoot('engine');
  const host = `unix://${root.join('run/berth.sock')}`;
  const engine = (...args: readonly string[]) => berth.run(['engine', ...args], { host });
  const said = { code: 0, stdout: '' };

  const before = await engine('status', '--format', 'json');
  assert.deepEqual([before.code, JSON.parse(before.stdout).state], [3, 'stopped']);
  const noLog = await engine('logs');
  assert.deepEqual([noLog.code, noLog.stdout], [1, '']);
  assert.match(noLog.stderr, /there is no log at .*engine\.log[\s\S]*try: berth engine start/);

  const started = await engine('start', '--root', root.join('root'));
  try {
    assert.deepEqual(started, { ...said, stderr: `the engine runs at ${host}\n` });
    const again = await engine('start');
    assert.deepEqual(again, { ...said, stderr: `an engine runs at ${host} already\n` });
    const status = await engine('status', '--format', 'json');
    assert.equal(status.code, 0);
    const { state, pid, socket, root: where, log } = JSON.parse(status.stdout);
    assert.deepEqual(
      [state, socket, where, log],
      ['running', host, root.join('root'), root.join('run/engine.log')],
    );
    assert(process.kill(pid, 0));
    assert.match(
      (await engine('status')).stdout,
      new RegExp(`^state +running\npid +${pid}\nsocket +${host}\n`),
    );
    assert.equal((await berth.run(['ps', '-q'], { host })).code, 0);
    const logs = await engine('logs');
    assert.match(logs.stdout, /^\S+ info serving unix:.*\n/m);
    const lines = logs.stdout.split('\n').slice(0, -1);
    assert.equal((await engine('logs', '-n', '1')).stdout, `${lines.at(-1)}\n`);
    assert.equal((await engine('logs', '-n', '0')).stdout, '');
    assert.equal((await engine('logs', '-n', '1000')).stdout, logs.stdout);
    const stopped = await engine('stop');
    assert.deepEqual(stopped, { ...said, stderr: `the engine (pid ${pid}) has stopped\n` });
  } finally {
    await engine('stop');
  }
  assert.equal((await engine('status')).code, 3);
  assert.equal((await engine('stop')).code, 0);
});

test('an engine is not looked for where one can not be, and a foreign pid is not taken for it', async () => {
  await using berth = await bundleBerth();
  await using root = await tempRoot('engine');
  const remote = await berth.run(['--host', 'tcp://127.0.0.1:1', 'engine', 'stop']);
  assert.equal(remote.code, 125);
  await writeFile(root.join('engine.pid'), `${process.pid}\n`);
  const stop = await berth.run(['engine', 'stop', '--run', root.path], {
    host: `unix://${root.join('x.sock')}`,
  });
  assert.deepEqual([stop.code, stop.stdout], [0, '']);
  assert.match(stop.stderr, /no engine of ours runs/);
});

test('an engine that dies ends what hangs on it with one message, and the container goes on', async () => {
  await using berth = await bundleBerth();
  await using engine = await startEngine();
  const given: Given = { berth, engine: 'berth', host: engine.host, reachPort: engine.reachPort };
  const script = 'echo up; read line; echo $line; exit 3';
  await using container = await containerOf(given, { flags: ['-i'], command: ['sh', '-c', script] });
  const logs = begin(given, 'logs', '-f', container.name);
  const events = begin(given, 'events', '--since', '1h');
  await Promise.all([logs.printed('up'), events.printed('container start')]);
  await engine.kill();
  for (const { ended } of [logs, events]) {
    const { code, stderr } = await ended;
    assert.equal(code, 1);
    assert.match(stderr, /^berth: the connection to unix:\S+ failed: .*\n$/);
  }
  await engine.start();
  assert.equal(await print(given, 'inspect', '-f', '{{.State.Running}}', container.name), 'true\n');
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { type ProgressParams, startProgress } from './progress.ts';

test('progress grows with every notification, whatever is reported', async (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout', 'setInterval'] });
  const sent: ProgressParams[] = [];
  using progress = startProgress((params) => sent.push(params));
  for (const [done, total] of [
    [10, 100],
    [30, 100],
    [20, 100],
    [20, 15],
  ] as const) {
    progress.report('pulling', done, total);
    t.mock.timers.tick(300);
  }
  const values = sent.map(({ progress: value }) => value);
  assert.equal(values.length, 4);
  assert.ok(
    values.every((value, at) => value > (values[at - 1] ?? 0)),
    values.join(),
  );
  assert.equal(values[1], 30);
  for (const { progress: value, total = 0 } of sent) assert.ok(total >= value);
});

test('many reports become few notifications, and the last of them is sent', (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout', 'setInterval'], now: 1e12 });
  const sent: ProgressParams[] = [];
  using progress = startProgress((params) => sent.push(params));
  for (let at = 1; at <= 1000; at += 1) progress.report(`at ${at}`, at);
  t.mock.timers.tick(300);
  assert.deepEqual(
    sent.map(({ message }) => message),
    ['at 1', 'at 1000'],
  );
});

test('a call that says nothing new still gives a sign every two seconds, until it is over', (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout', 'setInterval'], now: 1e12 });
  const sent: ProgressParams[] = [];
  {
    using progress = startProgress((params) => sent.push(params));
    progress.report('running');
    t.mock.timers.tick(10_000);
    assert.equal(sent.length, 6);
    assert.equal(sent.at(-1)?.message, 'running (10 s)');
  }
  t.mock.timers.tick(10_000);
  assert.equal(sent.length, 6);
});

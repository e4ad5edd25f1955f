import assert from 'node:assert/strict';
import test from 'node:test';
import { formatDuration, parseStatus, unchangedForMs } from './ages.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test('durations read as in the docker CLI, but for seconds', () => {
  // The values of go-units' duration_test.go.
  const expected: readonly (readonly [number, string])[] = [
    [0, 'Less than a minute'],
    [59_000, 'Less than a minute'],
    [MINUTE, 'About a minute'],
    [3 * MINUTE, '3 minutes'],
    [35 * MINUTE + 40_000, '35 minutes'],
    [HOUR, 'About an hour'],
    [HOUR + 45 * MINUTE, '2 hours'],
    [3 * HOUR + 40 * MINUTE, '4 hours'],
    [24 * HOUR, '24 hours'],
    [35 * HOUR, '35 hours'],
    [2 * DAY, '2 days'],
    [7 * DAY, '7 days'],
    [13 * DAY + 5 * HOUR, '13 days'],
    [14 * DAY, '2 weeks'],
    [4 * 7 * DAY, '4 weeks'],
    [60 * DAY, '2 months'],
    [365 * DAY, '12 months'],
    [730 * DAY, '2 years'],
    [3 * 365 * DAY + 2 * 30 * DAY, '3 years'],
  ];
  for (const [ms, text] of expected) assert.equal(formatDuration(ms), text);
});

test('a text holds exactly until its time has come', () => {
  for (const ms of [
    0,
    59_999,
    MINUTE,
    59 * MINUTE,
    HOUR,
    47 * HOUR,
    13 * DAY,
    59 * DAY,
    700 * DAY,
    900 * DAY,
  ]) {
    const heldMs = unchangedForMs(ms);
    assert.ok(heldMs >= 1);
    assert.equal(formatDuration(ms + heldMs - 1), formatDuration(ms), `just before ${ms} + ${heldMs}`);
    assert.notEqual(formatDuration(ms + heldMs), formatDuration(ms), `at ${ms} + ${heldMs}`);
  }
});

test("an engine's status is taken apart and goes on", () => {
  assert.deepEqual(parseStatus('Up 3 minutes (healthy)', 10 * HOUR), {
    before: 'Up ',
    after: ' (healthy)',
    sinceMs: 10 * HOUR - 3 * MINUTE,
  });
  assert.deepEqual(parseStatus('Exited (137) 2 hours ago', 10 * HOUR), {
    before: 'Exited (137) ',
    after: ' ago',
    sinceMs: 8 * HOUR,
  });
  assert.equal(parseStatus('Up Less than a second', HOUR)?.sinceMs, HOUR);
  assert.equal(parseStatus('Created', HOUR), undefined);
  assert.equal(parseStatus('Removal In Progress', HOUR), undefined);
});

test('an exact moment is kept while the engine does not contradict it', () => {
  const known = HOUR - 3 * MINUTE - 20_000;
  assert.equal(parseStatus('Up 3 minutes', HOUR, known)?.sinceMs, known);
  assert.equal(parseStatus('Up 5 minutes', HOUR, known)?.sinceMs, HOUR - 5 * MINUTE);
  assert.equal(parseStatus('Up 4 seconds', HOUR, HOUR - 30_000)?.sinceMs, HOUR - 30_000);
});

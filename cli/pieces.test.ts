import assert from 'node:assert/strict';
import test from 'node:test';
import { parseDetachKeys, watchForKeys } from './detach-keys.ts';
import { ago, humanDuration, rfc3339Nano } from './duration.ts';
import { nearest } from './nearest.ts';
import { ellipsis, printable, shortId } from './printable.ts';
import { layOut } from './table.ts';

test("spans of time are worded as docker's go-units words them", () => {
  const s = 1000;
  const h = 3600 * s;
  const worded = [
    [450, 'Less than a second'],
    [1 * s, '1 second'],
    [59 * s, '59 seconds'],
    [60 * s, 'About a minute'],
    [119 * s, 'About a minute'],
    [120 * s, '2 minutes'],
    [59 * 60 * s, '59 minutes'],
    [h, 'About an hour'],
    [1.4 * h, 'About an hour'],
    [1.5 * h, '2 hours'],
    [47 * h, '47 hours'],
    [48 * h, '2 days'],
    [13 * 24 * h, '13 days'],
    [14 * 24 * h, '2 weeks'],
    [59 * 24 * h, '8 weeks'],
    [60 * 24 * h, '2 months'],
    [729 * 24 * h, '24 months'],
    [730 * 24 * h, '2 years'],
  ] as const;
  for (const [ms, words] of worded) assert.equal(humanDuration(ms), words);
  assert.equal(ago(0), 'N/A');
});

test('the nanoseconds of an event are not rounded', () => {
  const zone = process.env.TZ;
  process.env.TZ = 'UTC';
  assert.equal(rfc3339Nano(1795491549927410306n), '2026-11-24T03:39:09.927410306Z');
  process.env.TZ = 'Asia/Kolkata';
  assert.equal(rfc3339Nano(1795491549000000001n), '2026-11-24T09:09:09.000000001+05:30');
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test('detach keys are found across chunks, and what only began like them goes on to the container', () => {
  const watch = watchForKeys(parseDetachKeys('ctrl-p,ctrl-q'));
  const typed = (text: string) => {
    const { pass, detached } = watch(Buffer.from(text, 'latin1'));
    return [Buffer.from(pass).toString('latin1'), detached];
  };
  assert.deepEqual(typed('ls\r'), ['ls\r', false]);
  assert.deepEqual(typed('\x10'), ['', false]);
  assert.deepEqual(typed('x'), ['\x10x', false]);
  assert.deepEqual(typed('\x10\x10'), ['\x10', false]);
  assert.deepEqual(typed('\x11'), ['', true]);
});

test('detach keys are read as docker writes them', () => {
  assert.deepEqual([...parseDetachKeys('ctrl-@,a,ctrl-[,CTRL-z')], [0, 97, 27, 26]);
  for (const bad of ['', 'ctrl-', 'ctrl-p,', 'ab', 'ctrl-1'])
    assert.throws(() => parseDetachKeys(bad), /is not a key/);
});

test("columns are as wide as docker's, and wide characters count double", async () => {
  assert.deepEqual(
    await layOut([
      ['ID', 'NAME', 'END'],
      ['0123456789ab', 'x', ''],
    ]),
    ['ID             NAME      END', '0123456789ab   x         '],
  );
  const [header = '', row = ''] = await layOut([
    ['NAMES', 'X'],
    ['日本語日本', 'y'],
  ]);
  assert.equal(header.indexOf('X'), 13);
  assert.equal(row, '日本語日本   y');
});

test('control characters in foreign text never reach the terminal', () => {
  assert.equal(printable('a\x1b]0;owned\x07b\u009b31m\u202e'), 'a\\u001b]0;owned\\u0007b\\u009b31m\\u202e');
  assert.equal(printable('a\nb'), 'a\\u000ab');
  assert.equal(printable('a\nb\t', { lines: true }), 'a\nb\t');
});

test('long texts end in an ellipsis, ids in their twelfth digit', () => {
  assert.equal(ellipsis('twenty characters ok', 20), 'twenty characters ok');
  assert.equal(ellipsis('twenty-one characters', 20), 'twenty-one characte…');
  assert.equal(shortId(`sha256:${'ab'.repeat(32)}`), 'abababababab');
});

test('the nearest word is found for a slip, and none for something else', () => {
  const words = ['run', 'images', 'inspect', 'ps', 'rm', 'rmi'];
  assert.equal(nearest('imges', words), 'images');
  assert.equal(nearest('rnu', words), 'run');
  assert.equal(nearest('inspct', words), 'inspect');
  assert.equal(nearest('deploy', words), undefined);
});

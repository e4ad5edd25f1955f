import assert from 'node:assert/strict';
import test from 'node:test';
import { createLineSplitter, splitTimestamp } from './lines.ts';
import { createLogRing } from './ring.ts';
import { scrollLog, topLine } from './scroll.ts';

test('the ring keeps the newest lines, under their numbers', () => {
  const ring = createLogRing(3);
  assert.deepEqual(ring.slice(0, 10), []);
  for (const line of ['a', 'b', 'c', 'd']) ring.push(line);
  assert.deepEqual([ring.first(), ring.end()], [1, 4]);
  assert.deepEqual(ring.slice(0, 10), ['b', 'c', 'd']);
  assert.deepEqual(ring.slice(2, 3), ['c']);
});

function linesOf(chunks: readonly string[], maxBytes = 100): readonly string[] {
  const lines: string[] = [];
  const splitter = createLineSplitter(maxBytes, (line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk, 'latin1'));
  splitter.flush();
  return lines;
}

test('lines come whole, whatever the chunks', () => {
  assert.deepEqual(linesOf(['a\nb', 'c\n\nd']), ['a', 'bc', '', 'd']);
  // A character of two bytes, cut between them.
  assert.deepEqual(linesOf(['\xc3', '\xa9\n']), ['é']);
});

test('an endless line is cut, and the next one is whole', () => {
  const lines = linesOf(['x'.repeat(9), 'x'.repeat(1_000_000), '\nnext\n'], 10);
  assert.deepEqual(lines, [`${'x'.repeat(10)}…`, 'next']);
});

test('timestamps of dockerd and podman are split off', () => {
  assert.deepEqual(splitTimestamp('2026-01-02T03:04:05.123456789Z hello there'), {
    time: '2026-01-02T03:04:05.123456789Z',
    text: 'hello there',
  });
  assert.equal(splitTimestamp('2026-01-02T03:04:05.1+02:00 x').text, 'x');
  assert.equal(splitTimestamp('2026-01-02T03:04:05Z').text, '');
  assert.deepEqual(splitTimestamp('no time'), { time: '', text: 'no time' });
});

test('a log that is scrolled back stays where it is as it grows, and follows again at its end', () => {
  const log = { first: 0, end: 100, height: 10 };
  let scroll = scrollLog({ follow: true }, log, -5);
  assert.deepEqual(scroll, { follow: false, top: 85 });
  assert.equal(topLine(scroll, { ...log, end: 200 }), 85);
  // Its lines have made room for newer ones.
  assert.equal(topLine(scroll, { first: 150, end: 250, height: 10 }), 150);
  scroll = scrollLog(scroll, log, 5);
  assert.deepEqual(scroll, { follow: true });
  assert.deepEqual(scrollLog({ follow: true }, log, -1e9), { follow: false, top: 0 });
  // One that is shorter than the pane can't be scrolled.
  assert.deepEqual(scrollLog({ follow: true }, { first: 0, end: 3, height: 10 }, -1), { follow: true });
});

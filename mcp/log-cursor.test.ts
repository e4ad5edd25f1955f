import assert from 'node:assert/strict';
import test from 'node:test';
import { cursorBefore, momentAfter, parseCursor, withoutLast } from './log-cursor.ts';

const time = '2026-01-31T08:00:00.123456789Z';
const line = (at: string | undefined) => ({ time: at, text: '' });

test('a cursor says how many lines of its moment were shown', () => {
  const cursor = cursorBefore([line(time), line(time), line('2026-01-31T08:00:01Z')], undefined);
  assert.equal(cursor, '1769846400.123456790~2');
  assert.deepEqual(parseCursor('1769846400.123456790~2'), { until: '1769846400.123456790', skip: 2 });
  assert.equal(cursorBefore([line(time)], parseCursor('1769846400.123456790~2')), '1769846400.123456790~3');
  assert.equal(cursorBefore([line(time)], parseCursor('1769846401.000000000~2')), '1769846400.123456790~1');
  assert.equal(cursorBefore([line(undefined)], undefined), undefined);
  assert.equal(cursorBefore([], undefined), undefined);
});

test('what is no cursor is refused', () => {
  for (const text of ['', '1', 'now', '1769846400.123456790', '1769846400.123456790~-1', '~1', '1.1~1']) {
    assert.throws(() => parseCursor(text), { code: 'invalid' }, text);
  }
});

test('the moment after a line is a nanosecond later', () => {
  assert.equal(momentAfter(time), '1769846400.123456790');
  assert.equal(momentAfter('2026-01-31T08:00:00.999999999Z'), '1769846401.000000000');
  assert.equal(momentAfter('2026-01-31T10:00:00.5+02:00'), '1769846400.500000001');
  assert.equal(momentAfter('2026-01-31T08:00:00Z'), '1769846400.000000001');
});

test('the last ones are held back', () => {
  const passed = (count: number, items: readonly number[]) => {
    const out: number[] = [];
    const pass = withoutLast<number>(count, (item) => out.push(item));
    for (const item of items) pass(item);
    return out;
  };
  assert.deepEqual(passed(0, [1, 2, 3]), [1, 2, 3]);
  assert.deepEqual(passed(2, [1, 2, 3, 4, 5]), [1, 2, 3]);
  assert.deepEqual(passed(9, [1, 2, 3]), []);
});

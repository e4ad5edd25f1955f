import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeSizes } from './sizes.ts';

test('a module over 250 lines is noted, one over 400 without a reason is an error', () => {
  const sizes = [
    { module: 'short.ts', lines: 250 },
    { module: 'long.ts', lines: 251 },
    { module: 'endless.ts', lines: 401 },
  ];
  const { errors, notes } = judgeSizes(sizes, {});
  assert.deepEqual(notes, ['endless.ts: 401 lines', 'long.ts: 251 lines']);
  assert.match(errors.join('\n'), /^endless\.ts: 401 lines; split it/);
});

test('a reason silences the error, and is an error itself when nobody needs it', () => {
  const reasons = { 'table.ts': 'one table, read from top to bottom' };
  assert.deepEqual(judgeSizes([{ module: 'table.ts', lines: 500 }], reasons).errors, []);
  assert.match(judgeSizes([{ module: 'table.ts', lines: 300 }], reasons).errors.join(), /no reason needed/);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { cut, fit, widthOf, wrap } from './cells.ts';

test('a text is cut by cells, and says so', () => {
  assert.equal(cut('abcdef', 6), 'abcdef');
  assert.equal(cut('abcdef', 5), 'abcd…');
  assert.equal(cut('日本語テキスト', 7), '日本語…');
  // Six cells hold three wide characters; with the ellipsis only two, and a half one is not shown.
  assert.equal(cut('日本語テキスト', 6), '日本…');
  assert.equal(cut('👩‍👩‍👧 family', 4), '👩‍👩‍👧 …');
  assert.equal(cut('abc', 0), '');
});

test('colours take no cell and survive the cut', () => {
  const red = '\x1b[31mred\x1b[0m and more';
  assert.equal(widthOf(red), 12);
  assert.equal(cut(red, 12), red);
  assert.equal(cut(red, 6), '\x1b[31mred\x1b[0m a…');
});

test('a text fits exactly', () => {
  assert.equal(fit('ab', 4), 'ab  ');
  assert.equal(fit('日本語', 4), '日… ');
  assert.equal(widthOf(fit('日本語', 4)), 4);
});

test('a long text is wrapped without losing anything', () => {
  assert.deepEqual(wrap('abcdef', 4), ['abcd', 'ef']);
  assert.deepEqual(wrap('日本語', 5), ['日本', '語']);
  assert.deepEqual(wrap('', 4), ['']);
  assert.deepEqual(wrap('日本', 1), ['日本']);
});

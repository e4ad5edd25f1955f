import assert from 'node:assert/strict';
import test from 'node:test';
import { fitEnd, fitItems, readable, tokensOf, wireBytes } from './budget.ts';

test('a token is four bytes, of the JSON or of the text', () => {
  assert.equal(tokensOf('abcd'), 1);
  assert.equal(tokensOf('abcde'), 2);
  assert.equal(tokensOf({ a: 1 }), 2);
  assert.equal(tokensOf('日本'), 2);
});

test('the end of a text is kept, from the start of a line', () => {
  const text = Array.from({ length: 1000 }, (_, at) => `line ${at}`).join('\n');
  const kept = fitEnd(text, 2000);
  assert.ok(text.endsWith(kept));
  assert.match(kept, /^line \d+\n/);
  assert.ok(wireBytes(kept) <= 2000 && wireBytes(kept) > 1000, String(wireBytes(kept)));
});

test('escapes are counted, so that the limit holds on the wire', () => {
  for (const text of [
    '"'.repeat(5000),
    '\n'.repeat(5000),
    '\u0001'.repeat(5000),
    '日'.repeat(5000),
    '🚢'.repeat(5000),
  ]) {
    const kept = fitEnd(text, 1000);
    assert.ok(wireBytes(kept) <= 1000 && kept.length > 50, `${JSON.stringify(text[0])} ${wireBytes(kept)}`);
    assert.ok(!/^[\uDC00-\uDFFF]/.test(kept));
  }
});

test('what fits is left as it is', () => {
  assert.equal(fitEnd('short', 7), 'short');
  assert.equal(fitEnd('', 2), '');
});

test('as many items as fit are kept, from the first', () => {
  const items = Array.from({ length: 1000 }, (_, at) => ({ id: at }));
  const kept = fitItems(items, (some) => some, 1000);
  assert.ok(wireBytes(kept) <= 1000 && kept.length > 60, String(kept.length));
  assert.deepEqual(kept, items.slice(0, kept.length));
  assert.deepEqual(
    fitItems(items, (some) => ({ some, more: 'x'.repeat(2000) }), 1000),
    [],
  );
});

test('colours, cursor movements and control characters do not reach the reader', () => {
  assert.equal(readable('\x1b[31mred\x1b[0m\r\nnext\x07\x00\ttab\rover\u2028on'), 'red\nnext\ttab\nover\non');
});

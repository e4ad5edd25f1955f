import assert from 'node:assert/strict';
import test from 'node:test';
import { MAX_RESULT_TOKENS, tokensOf } from './budget.ts';
import { page } from './page.ts';
import { resultOf } from './result.ts';

const items = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    id: `id${at}`,
    name: `container-${at}`,
    image: 'registry/some/image:tag',
  }));

const pageOf = (rows: ReturnType<typeof items>, cursor?: string) =>
  page({
    key: 'rows',
    columns: ['ID', 'NAME', 'IMAGE'],
    items: rows,
    cells: ({ id, name, image }) => [id, name, image],
    cursorOf: ({ id }) => id,
    cursor,
    none: 'nothing',
  });

test('a list that is too long comes in pages that lose and repeat nothing', () => {
  const all = items(2000);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const result = pageOf(all, cursor);
    assert.ok(tokensOf(resultOf(result)) <= MAX_RESULT_TOKENS);
    assert.equal(
      result.text.split('\n').filter((line) => line.startsWith('id')).length,
      result.data.rows.length,
    );
    seen.push(...result.data.rows.map(({ id }) => id));
    cursor = result.data.cursor;
    assert.equal(result.data.truncated, cursor !== undefined);
  } while (cursor !== undefined);
  assert.deepEqual(
    seen,
    all.map(({ id }) => id),
  );
});

test('a cursor whose row is gone is refused with a way on', () => {
  assert.throws(() => pageOf(items(3), 'id99'), { code: 'invalid', hint: /without a cursor/ });
});

test('a cell cannot break its row', () => {
  const [row] = items(1);
  const { text } = pageOf([{ ...row, id: 'x', name: 'a\tb\nc', image: 'i'.repeat(500) }]);
  assert.equal(text.split('\n').length, 2);
  assert.equal(text.split('\n')[1]?.split('\t').length, 3);
  assert.ok(text.length < 200);
});

test('fifty containers cost less than 2,000 tokens as a table', () => {
  assert.ok(tokensOf(pageOf(items(50)).text) < 2000);
});

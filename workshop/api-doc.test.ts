import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { API_DOC, withLists } from './api-doc.ts';

test('docs/api.md lists what the server serves; `node workshop/api-doc.ts` writes it anew', async () => {
  const page = await readFile(API_DOC, 'utf8');
  assert.ok(page.includes('`GET /containers/json`'));
  assert.equal(page, withLists(page));
});

import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { digestOf } from '../../workshop/testing/images.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { type Digest, hexOf } from '../api/digest.ts';
import { openContentStore } from './store.ts';

const bytes = Buffer.from('some bytes');
const digest = digestOf(bytes) as Digest;

async function* pieces(...parts: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

test('what is put is read back, and is gone when it is removed', async () => {
  await using root = await tempRoot('content');
  const store = openContentStore(root.path);
  assert.equal(await store.put(bytes), digest);
  assert.equal(await store.put(bytes), digest);
  assert.deepEqual(store.read(digest), bytes);
  assert.deepEqual(readdirSync(root.join('ingest')), []);
  store.remove(digest);
  assert.equal(await store.has(digest), false);
  assert.throws(() => store.read(digest), { code: 'internal', message: /has lost/ });
});

test('a blob that was damaged on disk is not given out', async () => {
  await using root = await tempRoot('content');
  const store = openContentStore(root.path);
  await store.put(bytes);
  writeFileSync(root.join('blobs/sha256', hexOf(digest)), 'other bytes');
  assert.throws(() => store.read(digest), { code: 'internal', message: /damaged/ });
});

test('a file that was reserved goes when it is let go of, unless it is kept', async () => {
  await using root = await tempRoot('content');
  const store = openContentStore(root.path);
  for (const keep of [false, true]) {
    {
      await using blob = store.reserve({ digest, sizeBytes: bytes.length });
      writeFileSync(blob.path, bytes);
      if (keep) await store.keep(blob);
    }
    assert.deepEqual(readdirSync(root.join('ingest')), []);
    assert.equal(await store.has(digest), keep);
  }
});

for (const [what, parts, message] of [
  ['too short', ['some'], /it has only 4 bytes where 10 were promised/],
  ['too long', ['some bytes and more'], /it has more bytes where 10 were promised/],
  ['other bytes', ['same bytes'], /it is not what its digest says/],
] as const) {
  test(`a stream of ${what} is refused, and nothing of it is kept`, async () => {
    await using root = await tempRoot('content');
    const store = openContentStore(root.path);
    const expected = { digest, sizeBytes: bytes.length, what: 'it' };
    await assert.rejects(store.collect(expected, pieces(...parts)), { code: 'invalid', message });
    assert.deepEqual(readdirSync(root.join('ingest')), []);
  });
}

test('a sweep keeps what it is told to, and nothing else', async () => {
  await using root = await tempRoot('content');
  const store = openContentStore(root.path);
  const kept = await store.put(Buffer.from('kept'));
  await store.put(bytes);
  writeFileSync(root.join('ingest/half'), 'ha');
  await store.sweep(new Set([kept]));
  assert.deepEqual(readdirSync(root.join('blobs/sha256')), [hexOf(kept)]);
  assert.deepEqual(readdirSync(root.join('ingest')), []);
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { testStore } from '../../workshop/testing/image-store.ts';
import { digestOf } from '../../workshop/testing/images.ts';
import { registryClient, withDigest } from '../../workshop/testing/registry-client.ts';
import type { Refusal } from '../images/hosted/error.ts';
import { listen } from './listener.ts';
import { openUploads } from './uploads.ts';

/** Uploads that go wrong, and what nobody names. */

const reason = (expected: string) => (error: Refusal) => error.reason === expected;
const parts = (...texts: readonly string[]) =>
  (async function* () {
    for (const text of texts) yield Buffer.from(text);
  })();

async function served() {
  const stack = new AsyncDisposableStack();
  const store = stack.use(await testStore());
  const { hosted } = store.images;
  const listener = stack.use(
    await listen(
      { Port: 0 },
      { hosted, onAccess: () => undefined, warn: (message) => console.error(message) },
    ),
  );
  const client = registryClient(listener.url);
  return { ...client, store, hosted, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Begins a request and sends a part of its body; it goes on until it is destroyed. */
async function half(url: URL, method: string, bytes: Buffer): Promise<ClientRequest> {
  const sent = request(url, { method, headers: { 'content-length': bytes.length * 2 } });
  sent.on('error', () => undefined);
  await new Promise<void>((resolve) => sent.write(bytes, () => resolve()));
  return sent;
}

test('while one part comes no other is taken; when it breaks off, what came stays and the upload goes on', async () => {
  await using registry = await served();
  const { ask, url } = registry;
  const bytes = randomBytes(200_000);
  const location = (await ask('POST', '/v2/team/x/blobs/uploads/')).header('location');
  const sending = await half(new URL(location, url), 'PATCH', bytes.subarray(0, 100_000));
  const range = async () => (await ask('GET', location)).header('range');
  while ((await range()) !== '0-99999');
  const second = await ask('PATCH', location, { body: bytes.subarray(100_000) });
  assert.deepEqual([second.status, second.code()], [400, 'BLOB_UPLOAD_INVALID']);
  const ending = await ask('PUT', withDigest(location, digestOf(bytes)));
  assert.equal(ending.code(), 'BLOB_UPLOAD_INVALID');
  sending.destroy();
  // The engine sees the connection go when it does.
  for (;;) {
    const rest = await ask('PUT', withDigest(location, digestOf(bytes)), { body: bytes.subarray(100_000) });
    if (rest.status === 201) break;
    assert.equal(rest.code(), 'BLOB_UPLOAD_INVALID');
  }
  assert.deepEqual((await ask('GET', `/v2/team/x/blobs/${digestOf(bytes)}`)).body, bytes);
});

test('a whole upload that breaks off leaves nothing', async () => {
  await using registry = await served();
  const { url, store } = registry;
  const bytes = randomBytes(50_000);
  const target = new URL(`/v2/team/x/blobs/uploads/?digest=${digestOf(bytes)}`, url);
  const sending = await half(target, 'POST', bytes.subarray(0, 20_000));
  const ingest = join(store.root, 'content/ingest');
  while (readdirSync(ingest).length === 0) await setImmediate();
  sending.destroy();
  while (readdirSync(ingest).length > 0) await setImmediate();
});

test('what a full disk refuses is told, and its upload is over', async () => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  const uploads = openUploads(async (source) => {
    for await (const _piece of source) throw full;
    throw full;
  });
  const upload = uploads.begin('r');
  await assert.rejects(
    (async () => {
      await upload.write(parts('a', 'b'.repeat(300_000), 'c'.repeat(300_000), 'd'));
      await upload.finish();
    })(),
    full,
  );
  assert.throws(() => uploads.find('r', upload.id), reason('BLOB_UPLOAD_UNKNOWN'));
});

test('an upload that nobody goes on with is given up; there are only so many', async () => {
  await using store = await testStore();
  const uploads = openUploads(store.images.hosted.receive, { idleMs: 1, max: 1 });
  const { id } = uploads.begin('r');
  assert.throws(() => uploads.begin('r'), reason('TOOMANYREQUESTS'));
  const isThere = () => {
    try {
      return uploads.find('r', id) !== undefined;
    } catch {
      return false;
    }
  };
  while (isThere()) await setImmediate();
  assert.throws(() => uploads.find('another', uploads.begin('r').id), reason('BLOB_UPLOAD_UNKNOWN'));
  await uploads.close();
  while (readdirSync(join(store.root, 'content/ingest')).length > 0) await setImmediate();
});

test('a blob that no manifest names goes after a day; one that is named stays', async () => {
  await using registry = await served();
  const { ask, hosted, store, pushBlob, pushManifest } = registry;
  const named = await pushBlob('team/x', Buffer.from('{}'), 'application/vnd.example+json');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  await pushManifest('team/x', { schemaVersion: 2, mediaType, config: named, layers: [] });
  const unnamed = await pushBlob('team/x', randomBytes(10));
  const status = async ({ digest }: { readonly digest: string }) =>
    (await ask('HEAD', `/v2/team/x/blobs/${digest}`)).status;
  const hour = 60 * 60_000;
  hosted.collect(Date.now() + 23 * hour);
  assert.equal(await status(unnamed), 200);
  hosted.collect(Date.now() + 25 * hour);
  assert.deepEqual([await status(unnamed), await status(named)], [404, 200]);
  assert.ok(!store.leftovers().includes(`content/blobs/sha256/${unnamed.digest.slice(7)}`));
});

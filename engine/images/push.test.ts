import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type TestStore, testStore } from '../../workshop/testing/image-store.ts';
import { imageOf, layerOf, push as put } from '../../workshop/testing/images.ts';
import { startLyingRegistry } from '../../workshop/testing/lying-registry.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { tarOf } from '../../workshop/testing/tar.ts';
import { startUploadRegistry, type UploadLie } from '../../workshop/testing/upload-registry.ts';
import type { ProgressLine } from '../api/wire.ts';
import { defaultRegistryLimits } from '../registry/settings.ts';

const layer = (size: number, compression: 'gzip' | 'zstd' = 'gzip') =>
  layerOf([{ name: 'data', content: randomBytes(size) }], { compression });

async function push(store: TestStore, name: string, tag?: string, signal = new AbortController().signal) {
  const lines: ProgressLine[] = [];
  await store.images.push({ name, tag, signal, onProgress: (line) => lines.push(line) });
  return lines;
}

/** An image of its own in a store, under a name. */
async function pulled(image = imageOf({ layers: [layer(3000), layer(200)] }), limits = {}) {
  await using registry = await startLyingRegistry([{ name: 'app', image }]);
  const store = await testStore({ registryLimits: { ...defaultRegistryLimits, backoffMs: 1, ...limits } });
  await store.pull(`${registry.host}/app`);
  return { store, image };
}

const statuses = (lines: readonly ProgressLine[], status: string | RegExp) =>
  lines.filter((line) =>
    typeof status === 'string' ? line.status === status : status.test(line.status ?? ''),
  );

test('an image that was pulled is pushed as it was: same manifest, same blobs, and nothing twice', async () => {
  await using registry = await startRegistry();
  const image = imageOf({ layers: [layer(3000), layer(200, 'zstd')], format: 'oci' });
  await put({ registry, name: 'from', tag: 'latest', image });
  await using store = await testStore();
  await store.pull(`${registry.host}/from`);
  const name = `${registry.host}/team/to`;
  store.images.tag(`${registry.host}/from`, { repo: name, tag: '2' });

  const lines = await push(store, name, '2');
  assert.equal(lines[0]?.status, `The push refers to repository [${name}]`);
  assert.equal(statuses(lines, 'Preparing').length, 2);
  // The registry shares them: nothing is sent.
  assert.equal(statuses(lines, 'Mounted from from').length, 2);
  const size = image.manifest.bytes.length;
  assert.equal(lines.at(-2)?.status, `2: digest: ${image.manifest.digest} size: ${size}`);
  assert.deepEqual(lines.at(-1)?.aux, { Tag: '2', Digest: image.manifest.digest, Size: size });
  assert.ok(store.images.inspect(`${name}:2`).RepoDigests.includes(`${name}@${image.manifest.digest}`));
  assert.equal(statuses(await push(store, name, '2'), 'Layer already exists').length, 2);

  await using other = await startRegistry();
  store.images.tag(`${registry.host}/from`, { repo: `${other.host}/x` });
  assert.equal(statuses(await push(store, `${other.host}/x`), 'Pushed').length, 2);
  await using second = await testStore();
  await second.pull(`${other.host}/x@${image.manifest.digest}`);
  assert.equal(second.images.list({})[0]?.Id, image.config.digest);
});

test('a layer that was made here is compressed once, and the image keeps its digest from then on', async () => {
  await using registry = await startRegistry();
  await using store = await testStore();
  const tar = tarOf([{ name: 'made', content: 'm'.repeat(100_000) }]);
  const signal = new AbortController().signal;
  const name = `${registry.host}/made`;
  async function* archive() {
    yield tar;
  }
  for (const tag of ['a', 'b'])
    await store.images.make({
      layer: archive(),
      config: { Cmd: ['sh'] },
      target: { repo: name, tag },
      signal,
    });
  const lines = await push(store, name);
  const digests = lines.flatMap(({ aux }) => (aux === undefined ? [] : [aux.Digest]));
  assert.equal(digests.length, 2, 'all tags');
  assert.equal(statuses(lines, 'Pushed').length, 1);
  const again = await push(store, name, 'a');
  assert.equal(again.at(-1)?.aux?.Digest, digests[0]);
  assert.equal(statuses(again, 'Compressing').length, 0);
  await using second = await testStore();
  await second.pull(`${name}:a`);
  assert.deepEqual(second.images.inspect(`${name}:a`).RootFS, store.images.inspect(`${name}:a`).RootFS);
  for (const { Id } of store.images.list({})) await store.images.remove(Id, { force: true });
  assert.deepEqual(store.leftovers(), []);
});

test('a long blob goes in parts, and where it breaks it goes on', async () => {
  const big = layer(400_000);
  const { store, image } = await pulled(imageOf({ layers: [big] }), { chunkBytes: 100_000 });
  await using _ = store;
  await using registry = await startUploadRegistry(({ method, earlier }) => {
    if (method === 'PATCH' && earlier === 1) return { do: 'cut', afterBytes: 150_000 };
    if (method === 'PATCH' && earlier === 3)
      return { do: 'status', status: 429, headers: { 'retry-after': '0' } };
    if (method === 'PUT' && earlier === 0) return { do: 'status', status: 503 };
    return undefined;
  });
  const name = `${registry.host}/app`;
  store.images.tag(image.config.digest, { repo: name });
  await push(store, name, 'latest');
  assert.deepEqual(registry.blobs.get(big.digest), big.blob);
  assert.deepEqual(registry.manifests.get('latest'), image.manifest.bytes);
  const ranges = registry.requests
    .filter(({ method }) => method === 'PATCH')
    .map(({ headers }) => headers['content-range']);
  assert.ok(ranges.includes('150000-249999'), String(ranges));
});

test('a registry that goes on failing is given up, and tells why', async () => {
  const { store, image } = await pulled();
  await using _ = store;
  await using registry = await startUploadRegistry(({ method }) =>
    method === 'PUT' ? { do: 'status', status: 500, body: '{"errors":[{"message":"no disk"}]}' } : undefined,
  );
  store.images.tag(image.config.digest, { repo: `${registry.host}/app` });
  await assert.rejects(push(store, `${registry.host}/app`), {
    code: 'unavailable',
    message: /answered 500.*no disk/,
  });
  const before = store.leftovers();
  await assert.rejects(push(store, `${registry.host}/app`), { code: 'unavailable' });
  assert.deepEqual(store.leftovers(), before);
});

test('a registry that takes another manifest than was sent is not believed', async () => {
  const { store, image } = await pulled();
  await using _ = store;
  await using registry = await startUploadRegistry(({ path }) =>
    path.includes('/manifests/') ? { do: 'other' } : undefined,
  );
  store.images.tag(image.config.digest, { repo: `${registry.host}/app` });
  await assert.rejects(push(store, `${registry.host}/app`), { code: 'invalid', message: /another manifest/ });
});

test('a blob that is damaged in the store is never pushed whole', async () => {
  const { store, image } = await pulled();
  await using _ = store;
  const [first] = image.layers;
  assert.ok(first !== undefined);
  writeFileSync(
    join(store.root, 'content/blobs/sha256', first.digest.slice(7)),
    Buffer.alloc(first.blob.length),
  );
  await using registry = await startUploadRegistry();
  store.images.tag(image.config.digest, { repo: `${registry.host}/app` });
  await assert.rejects(push(store, `${registry.host}/app`), { code: 'internal', message: /damaged/ });
  assert.equal(registry.manifests.size, 0);
  assert.ok(!registry.blobs.has(first.digest));
});

test('what is not there is told in words that clients know', async () => {
  const { store, image } = await pulled();
  await using _ = store;
  await assert.rejects(push(store, 'localhost:1/none'), {
    code: 'notFound',
    message: 'An image does not exist locally with the tag: localhost:1/none',
  });
  store.images.tag(image.config.digest, { repo: 'localhost:1/some', tag: '1' });
  await assert.rejects(push(store, 'localhost:1/some', '2'), {
    code: 'notFound',
    message: 'tag does not exist: localhost:1/some:2',
  });
  await assert.rejects(push(store, `localhost:1/some@${image.manifest.digest}`), { code: 'invalid' });
  await assert.rejects(push(store, 'localhost:1/some'), { code: 'unavailable', message: /cannot reach/ });
});

test('a push that is cancelled ends, and says so', async () => {
  const { store, image } = await pulled();
  await using _ = store;
  const controller = new AbortController();
  await using registry = await startUploadRegistry(({ method }) => {
    if (method === 'PUT') controller.abort();
    return undefined;
  });
  store.images.tag(image.config.digest, { repo: `${registry.host}/app` });
  await assert.rejects(push(store, `${registry.host}/app`, 'latest', controller.signal), {
    code: 'cancelled',
  });
});

test('credentials go to the registry alone, not to where it sends an upload', async () => {
  const { store, image } = await pulled();
  await using _ = store;
  await using elsewhere = await startUploadRegistry(({ path }) =>
    path.startsWith('/take') ? { do: 'status', status: 201 } : undefined,
  );
  await using registry = await startUploadRegistry(({ method, path, headers }): UploadLie | undefined => {
    if (headers.authorization === undefined)
      return { do: 'status', status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };
    if (method === 'POST' && path.endsWith('/uploads/'))
      return { do: 'status', status: 202, headers: { location: `${elsewhere.url}/take` } };
    return undefined;
  });
  const name = `${registry.host}/app`;
  store.images.tag(image.config.digest, { repo: name });
  const signal = new AbortController().signal;
  await store.images.push({
    name,
    auth: { username: 'skipper', password: 'open-sesame' },
    signal,
    onProgress: () => {},
  });
  assert.ok(elsewhere.requests.length >= 3);
  assert.deepEqual(
    elsewhere.requests.filter(({ headers }) => headers.authorization !== undefined),
    [],
  );
});

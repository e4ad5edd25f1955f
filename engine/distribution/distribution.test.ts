import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { after } from 'node:test';
import { testStore } from '../../workshop/testing/image-store.ts';
import { digestOf, imageOf, indexOf, layerOf } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { type RegistryClient, registryClient, withDigest } from '../../workshop/testing/registry-client.ts';
import { listen } from './listener.ts';

/**
 * What a registry has to do, after the OCI distribution spec v1.1 and what its conformance suite looks at: pull, push,
 * content discovery, content management. The same cases run on Debian's docker-registry (2.8), the oracle; it knows
 * neither referrers nor a whole upload in one POST, and `ours` marks where the two differ on purpose.
 */

const undo = new AsyncDisposableStack();
after(() => undo.disposeAsync());
const store = undo.use(await testStore());
const listener = undo.use(
  await listen(
    { Port: 0 },
    { hosted: store.images.hosted, onAccess: () => undefined, warn: (message) => console.error(message) },
  ),
);
const oracle = undo.use(await startRegistry());

type Case = (registry: RegistryClient, name: string, who: Who) => Promise<void>;
type Who = 'berth' | 'docker-registry';

let repositories = 0;
function on(where: 'both' | 'ours', what: string, run: Case): void {
  const runs: { readonly who: Who; readonly url: string }[] = [{ who: 'berth', url: listener.url }];
  if (where === 'both') runs.push({ who: 'docker-registry', url: oracle.url });
  for (const { who, url } of runs)
    test(`${who}: ${what}`, async () => {
      repositories += 1;
      await run(registryClient(url), `team/case-${repositories}`, who);
    });
}
const both = (what: string, run: Case) => on('both', what, run);
const ours = (what: string, run: Case) => on('ours', what, run);

const UNKNOWN = `sha256:${'0'.repeat(64)}`;
const OCI = 'application/vnd.oci.image';
const MANIFEST = `${OCI}.manifest.v1+json`;
const INDEX = `${OCI}.index.v1+json`;

/** A manifest with a config and one layer, whose blobs are there; its layer is no archive. */
async function pushArtifact(
  registry: RegistryClient,
  name: string,
  options: { readonly tag?: string; readonly extra?: object } = {},
) {
  const config = await registry.pushBlob(
    name,
    Buffer.from(`{"n":"${randomBytes(4).toString('hex')}"}`),
    `${OCI}.config.v1+json`,
  );
  const layer = await registry.pushBlob(name, randomBytes(100), `${OCI}.layer.v1.tar+gzip`);
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer], ...options.extra };
  const descriptor = await registry.pushManifest(
    name,
    manifest,
    options.tag === undefined ? {} : { tag: options.tag },
  );
  return { config, layer, manifest, descriptor, bytes: Buffer.from(JSON.stringify(manifest)) };
}

both('answers at its base', async ({ ask }) => {
  const base = await ask('GET', '/v2/');
  assert.equal(base.status, 200);
  assert.equal(base.header('docker-distribution-api-version'), 'registry/2.0');
});

both('a blob is pushed with POST and PUT, and pulled', async ({ ask, pushBlob }, name) => {
  const bytes = randomBytes(70_000);
  const { digest } = await pushBlob(name, bytes);
  const head = await ask('HEAD', `/v2/${name}/blobs/${digest}`);
  assert.equal(head.status, 200);
  assert.equal(head.header('content-length'), '70000');
  assert.equal(head.header('docker-content-digest'), digest);
  const got = await ask('GET', `/v2/${name}/blobs/${digest}`);
  assert.equal(got.status, 200);
  assert.deepEqual(got.body, bytes);
});

both('parts of a blob are pulled by ranges', async ({ ask, pushBlob }, name, who) => {
  const bytes = randomBytes(1_000);
  const { digest } = await pushBlob(name, bytes);
  const range = async (text: string) =>
    await ask('GET', `/v2/${name}/blobs/${digest}`, { headers: { range: text } });
  const middle = await range('bytes=10-19');
  assert.equal(middle.status, 206);
  assert.equal(middle.header('content-range'), 'bytes 10-19/1000');
  assert.deepEqual(middle.body, bytes.subarray(10, 20));
  assert.deepEqual((await range('bytes=990-')).body, bytes.subarray(990));
  // What the oracle sends of the others is shorter than it promises.
  if (who !== 'berth') return;
  assert.deepEqual((await range('bytes=-5')).body, bytes.subarray(995));
  assert.deepEqual((await range('bytes=990-5000')).body, bytes.subarray(990));
  assert.equal((await range('bytes=1000-')).status, 416);
});

both('what is not there is said in the codes of the specification', async ({ ask, pushBlob }, name, who) => {
  await pushBlob(name, randomBytes(10));
  const cases = [
    ['GET', `blobs/${UNKNOWN}`, 404, 'BLOB_UNKNOWN'],
    ['GET', 'manifests/none', 404, 'MANIFEST_UNKNOWN'],
    ['GET', `manifests/${UNKNOWN}`, 404, 'MANIFEST_UNKNOWN'],
    ['DELETE', `manifests/${UNKNOWN}`, 404, 'MANIFEST_UNKNOWN'],
    ['DELETE', `blobs/${UNKNOWN}`, 404, 'BLOB_UNKNOWN'],
    ['GET', 'blobs/uploads/none', 404, who === 'berth' ? 'BLOB_UPLOAD_UNKNOWN' : 'BLOB_UPLOAD_INVALID'],
  ] as const;
  for (const [method, path, status, code] of cases) {
    const came = await ask(method, `/v2/${name}/${path}`);
    assert.deepEqual([path, came.status, came.code()], [path, status, code]);
  }
  assert.equal((await ask('HEAD', `/v2/${name}/manifests/.INVALID_MANIFEST_NAME`)).status, 404);
  const list = await ask('GET', '/v2/team/never-pushed/tags/list');
  assert.deepEqual([list.status, list.code()], [404, 'NAME_UNKNOWN']);
});

both('a blob of one repository is not in another until it is mounted', async ({ ask, pushBlob }, name) => {
  const { digest } = await pushBlob(name, randomBytes(30));
  const other = `${name}-other`;
  assert.equal((await ask('HEAD', `/v2/${other}/blobs/${digest}`)).status, 404);
  const mounted = await ask('POST', `/v2/${other}/blobs/uploads/?mount=${digest}&from=${name}`);
  assert.equal(mounted.status, 201);
  assert.match(mounted.header('location'), new RegExp(`/v2/${other}/blobs/${digest}$`));
  assert.equal((await ask('GET', `/v2/${other}/blobs/${digest}`)).status, 200);
});

both('a mount of what is not there begins an upload', async ({ ask }, name) => {
  for (const from of [`&from=${name}-none`, '']) {
    const came = await ask('POST', `/v2/${name}/blobs/uploads/?mount=${UNKNOWN}${from}`);
    assert.equal(came.status, 202);
    assert.match(came.header('location'), /\/blobs\/uploads\//);
  }
});

both('a blob is pushed in chunks, whose order is held', async ({ ask }, name, who) => {
  const bytes = randomBytes(3_000);
  const begun = await ask('POST', `/v2/${name}/blobs/uploads/`, { headers: { 'content-length': '0' } });
  assert.equal(begun.status, 202);
  const patch = async (location: string, start: number, end: number) =>
    await ask('PATCH', location, {
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${start}-${end - 1}` },
      body: bytes.subarray(start, end),
    });
  // The oracle does not look at Content-Range.
  if (who === 'berth') assert.equal((await patch(begun.header('location'), 1_000, 2_000)).status, 416);
  const first = await patch(begun.header('location'), 0, 1_000);
  assert.equal(first.status, 202);
  assert.equal(first.header('range'), '0-999');
  if (who === 'berth') assert.equal((await patch(first.header('location'), 0, 1_000)).status, 416);
  const status = await ask('GET', first.header('location'));
  assert.equal(status.status, 204);
  assert.equal(status.header('range'), '0-999');
  const second = await patch(status.header('location'), 1_000, 2_000);
  assert.equal(second.status, 202);
  const done = await ask('PUT', withDigest(second.header('location'), digestOf(bytes)), {
    headers: { 'content-type': 'application/octet-stream', 'content-range': '2000-2999' },
    body: bytes.subarray(2_000),
  });
  assert.equal(done.status, 201);
  assert.equal(done.header('docker-content-digest'), digestOf(bytes));
  assert.deepEqual((await ask('GET', done.header('location'))).body, bytes);
});

both('an upload can be streamed without a Content-Range and ended without a body', async ({ ask }, name) => {
  const bytes = randomBytes(500);
  const begun = await ask('POST', `/v2/${name}/blobs/uploads/`);
  const part = await ask('PATCH', begun.header('location'), { body: bytes });
  assert.equal(part.status, 202);
  const done = await ask('PUT', withDigest(part.header('location'), digestOf(bytes)));
  assert.equal(done.status, 201);
});

both('an upload that is cancelled is gone', async ({ ask }, name) => {
  const begun = await ask('POST', `/v2/${name}/blobs/uploads/`);
  assert.equal((await ask('DELETE', begun.header('location'))).status, 204);
  const after = await ask('GET', begun.header('location'));
  assert.deepEqual([after.status, after.code()], [404, 'BLOB_UPLOAD_UNKNOWN']);
});

both('a blob with another digest than was promised is refused, and not there', async ({ ask }, name) => {
  const begun = await ask('POST', `/v2/${name}/blobs/uploads/`);
  const came = await ask('PUT', withDigest(begun.header('location'), UNKNOWN), { body: randomBytes(20) });
  assert.deepEqual([came.status, came.code()], [400, 'DIGEST_INVALID']);
  assert.equal((await ask('HEAD', `/v2/${name}/blobs/${UNKNOWN}`)).status, 404);
});

both('digests of other kinds and malformed ones are refused', async ({ ask }, name) => {
  for (const digest of ['sha256:abc', 'md5:00', `sha256:${'G'.repeat(64)}`]) {
    const begun = await ask('POST', `/v2/${name}/blobs/uploads/`);
    const came = await ask('PUT', withDigest(begun.header('location'), digest), { body: randomBytes(20) });
    assert.deepEqual([digest, came.status, came.code()], [digest, 400, 'DIGEST_INVALID']);
  }
});

ours('a blob is pushed with one POST', async ({ ask }, name) => {
  const bytes = randomBytes(50);
  const path = `/v2/${name}/blobs/uploads/?digest=${digestOf(bytes)}`;
  const done = await ask('POST', path, { body: bytes });
  assert.equal(done.status, 201);
  assert.deepEqual((await ask('GET', done.header('location'))).body, bytes);
  assert.equal((await ask('POST', path, { body: randomBytes(50) })).code(), 'DIGEST_INVALID');
});

ours('a chunk is as long as its Content-Range says', async ({ ask }, name) => {
  const begun = await ask('POST', `/v2/${name}/blobs/uploads/`);
  const wrong = await ask('PATCH', begun.header('location'), {
    headers: { 'content-range': '0-9' },
    body: randomBytes(20),
  });
  assert.deepEqual([wrong.status, wrong.code()], [400, 'SIZE_INVALID']);
  const malformed = await ask('PATCH', begun.header('location'), {
    headers: { 'content-range': 'all of it' },
    body: randomBytes(20),
  });
  assert.deepEqual([malformed.status, malformed.code()], [416, 'RANGE_INVALID']);
});

both(
  'a manifest is pushed under a tag and pulled by it and by its digest, byte for byte',
  async (registry, name) => {
    const { descriptor, bytes } = await pushArtifact(registry, name, { tag: 'v1' });
    for (const reference of ['v1', descriptor.digest]) {
      const got = await registry.ask('GET', `/v2/${name}/manifests/${reference}`, {
        headers: { accept: MANIFEST },
      });
      assert.equal(got.status, 200);
      assert.equal(got.header('content-type'), MANIFEST);
      assert.equal(got.header('docker-content-digest'), descriptor.digest);
      assert.deepEqual(got.body, bytes);
      const head = await registry.ask('HEAD', `/v2/${name}/manifests/${reference}`, {
        headers: { accept: MANIFEST },
      });
      assert.equal(head.status, 200);
      assert.equal(head.header('content-length'), String(bytes.length));
      assert.equal(head.header('docker-content-digest'), descriptor.digest);
    }
  },
);

both('a manifest is refused whose blobs are not there, or that is none', async ({ ask, pushBlob }, name) => {
  const config = await pushBlob(name, Buffer.from('{}'), `${OCI}.config.v1+json`);
  const put = async (body: Buffer, type = MANIFEST, reference = 'bad') =>
    await ask('PUT', `/v2/${name}/manifests/${reference}`, { headers: { 'content-type': type }, body });
  const layer = { mediaType: `${OCI}.layer.v1.tar`, digest: UNKNOWN, size: 3 };
  const lost = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] };
  const missing = await put(Buffer.from(JSON.stringify(lost)));
  assert.deepEqual([missing.status, missing.code()], [400, 'MANIFEST_BLOB_UNKNOWN']);
  const none = await put(Buffer.from('not JSON'));
  assert.deepEqual([none.status, none.code()], [400, 'MANIFEST_INVALID']);
  const whole = Buffer.from(JSON.stringify({ ...lost, layers: [] }));
  const other = await put(whole, MANIFEST, UNKNOWN);
  assert.deepEqual([other.status, other.code()], [400, 'DIGEST_INVALID']);
  assert.equal((await ask('GET', `/v2/${name}/manifests/bad`)).status, 404);
});

ours('manifests that mean harm are refused', async ({ ask, pushBlob }, name) => {
  const config = await pushBlob(name, Buffer.from('{}'), `${OCI}.config.v1+json`);
  const whole = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [] as object[] };
  const put = async (body: object | Buffer, type = MANIFEST, reference = 'bad') =>
    await ask('PUT', `/v2/${name}/manifests/${reference}`, {
      headers: { 'content-type': type },
      body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
    });
  const cases: readonly (readonly [object | Buffer, string, number, string])[] = [
    [whole, INDEX, 400, 'MANIFEST_INVALID'],
    [[], MANIFEST, 400, 'MANIFEST_INVALID'],
    [{ ...whole, schemaVersion: 1 }, MANIFEST, 400, 'MANIFEST_INVALID'],
    [{ ...whole, layers: { length: 1 } }, MANIFEST, 400, 'MANIFEST_INVALID'],
    [{ ...whole, layers: [null] }, MANIFEST, 400, 'MANIFEST_INVALID'],
    [{ ...whole, layers: [{ ...config, digest: '../../etc/passwd' }] }, MANIFEST, 400, 'DIGEST_INVALID'],
    [{ ...whole, layers: [{ ...config, size: -1 }] }, MANIFEST, 400, 'MANIFEST_INVALID'],
    [{ ...whole, subject: 'x' }, MANIFEST, 400, 'MANIFEST_INVALID'],
    [Buffer.from([0x7b, 0xff, 0x7d]), MANIFEST, 400, 'MANIFEST_INVALID'],
    [Buffer.alloc(4 * 2 ** 20 + 1, 0x20), MANIFEST, 413, 'SIZE_INVALID'],
  ];
  for (const [index, [body, type, status, code]] of cases.entries()) {
    const came = await put(body, type);
    assert.deepEqual([index, came.status, came.code()], [index, status, code]);
  }
  const tag = await put(whole, MANIFEST, 'x'.repeat(129));
  assert.deepEqual([tag.status, tag.code()], [400, 'TAG_INVALID']);
  const digest = await put(whole, MANIFEST, 'sha256:abc');
  assert.deepEqual([digest.status, digest.code()], [400, 'DIGEST_INVALID']);
});

ours('a manifest of just 4 MiB is taken', async ({ ask, pushBlob }, name) => {
  const config = await pushBlob(name, Buffer.from('{}'), `${OCI}.config.v1+json`);
  const text = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] });
  const body = Buffer.from(text.padEnd(4 * 2 ** 20, ' '));
  const came = await ask('PUT', `/v2/${name}/manifests/large`, {
    headers: { 'content-type': MANIFEST },
    body,
  });
  assert.equal(came.status, 201);
});

ours('names that are none are refused', async ({ ask }) => {
  for (const name of ['UPPER', 'a//b', 'a/-b', 'a/../b', '%2e%2e/x', 'a'.repeat(256)]) {
    const came = await ask('GET', `/v2/${name}/manifests/latest`);
    // Some of them are other paths altogether.
    assert.ok([400, 404, 301].includes(came.status), `${name}: ${came.status}`);
  }
});

both('an index is taken once its manifests are there', async (registry, name) => {
  const { ask } = registry;
  const { descriptor } = await pushArtifact(registry, name);
  const entry = { ...descriptor, platform: { os: 'plan9', architecture: 'mips' } };
  const index = (digest: string) => ({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{ ...entry, digest }],
  });
  const pushed = await registry.pushManifest(name, index(descriptor.digest), { tag: 'multi' });
  const got = await ask('GET', `/v2/${name}/manifests/multi`, { headers: { accept: INDEX } });
  assert.equal(got.header('content-type'), INDEX);
  assert.equal(got.header('docker-content-digest'), pushed.digest);
  await assert.rejects(
    registry.pushManifest(name, index(UNKNOWN), { tag: 'lost' }),
    /400.*MANIFEST_BLOB_UNKNOWN/,
  );
});

both('tags are listed in order', async (registry, name) => {
  const { bytes } = await pushArtifact(registry, name, { tag: 'b' });
  for (const tag of ['c', 'a', 'B', '1.0', 'a-b'])
    await registry.ask('PUT', `/v2/${name}/manifests/${tag}`, {
      headers: { 'content-type': MANIFEST },
      body: bytes,
    });
  const list = await registry.ask('GET', `/v2/${name}/tags/list`);
  assert.equal(list.status, 200);
  const said = list.json() as { readonly name: string; readonly tags: readonly string[] };
  assert.equal(said.name, name);
  assert.deepEqual(said.tags.toSorted(), ['1.0', 'B', 'a', 'a-b', 'b', 'c']);
});

ours('tags are listed by pages', async (registry, name) => {
  const { bytes } = await pushArtifact(registry, name, { tag: 'b' });
  for (const tag of ['c', 'a', 'B', '1.0', 'a-b'])
    await registry.ask('PUT', `/v2/${name}/manifests/${tag}`, {
      headers: { 'content-type': MANIFEST },
      body: bytes,
    });
  const page = async (query: string) => {
    const came = await registry.ask('GET', `/v2/${name}/tags/list${query}`);
    return { ...(came.json() as { readonly tags: readonly string[] }), link: came.header('link'), came };
  };
  assert.deepEqual((await page('')).tags, ['1.0', 'B', 'a', 'a-b', 'b', 'c']);
  const first = await page('?n=4');
  assert.deepEqual(first.tags, ['1.0', 'B', 'a', 'a-b']);
  assert.equal(first.link, `</v2/${name}/tags/list?n=4&last=a-b>; rel="next"`);
  const second = await page('?n=4&last=a-b');
  assert.deepEqual([second.tags, second.link], [['b', 'c'], '']);
  assert.deepEqual((await page('?n=0')).tags, []);
  assert.deepEqual((await page('?last=b')).tags, ['c']);
  assert.equal((await page('?n=-1')).came.code(), 'PAGINATION_NUMBER_INVALID');
});

both('repositories are listed by pages', async (registry, name) => {
  await pushArtifact(registry, `${name}-a`, { tag: 'x' });
  await pushArtifact(registry, `${name}-b`, { tag: 'x' });
  const came = await registry.ask('GET', `/v2/_catalog?n=1&last=${name}`);
  assert.deepEqual(came.json(), { repositories: [`${name}-a`] });
  assert.match(came.header('link'), /rel="next"/);
});

ours('what refers to a manifest is listed, by type where that is asked', async (registry, name) => {
  const { ask } = registry;
  const { descriptor: subject } = await pushArtifact(registry, name, { tag: 'v1' });
  const list = async (query = '', digest = subject.digest) => {
    const came = await ask('GET', `/v2/${name}/referrers/${digest}${query}`);
    assert.equal(came.header('content-type'), INDEX);
    return {
      ...(came.json() as { manifests: { digest: string; artifactType?: string; annotations?: object }[] }),
      came,
    };
  };
  assert.deepEqual((await list()).manifests, []);
  const annotations = { 'org.example.what': 'a signature' };
  const signature = await pushArtifact(registry, name, {
    extra: { subject, artifactType: 'application/vnd.example.signature', annotations },
  });
  const plain = await pushArtifact(registry, name, { extra: { subject } });
  const all = (await list()).manifests;
  assert.deepEqual(all, [
    { ...signature.descriptor, artifactType: 'application/vnd.example.signature', annotations },
    { ...plain.descriptor, artifactType: `${OCI}.config.v1+json` },
  ]);
  const some = await list('?artifactType=application/vnd.example.signature');
  assert.deepEqual(
    some.manifests.map(({ digest }) => digest),
    [signature.descriptor.digest],
  );
  assert.equal(some.came.header('oci-filters-applied'), 'artifactType');
  assert.equal((await ask('GET', `/v2/${name}/referrers/nothing`)).code(), 'DIGEST_INVALID');
  assert.equal((await ask('DELETE', `/v2/${name}/manifests/${plain.descriptor.digest}`)).status, 202);
  assert.equal((await list()).manifests.length, 1);
});

ours(
  'a manifest may refer to one that is not there, and is told that it was understood',
  async (registry, name) => {
    const config = await registry.pushBlob(name, Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
    const subject = { mediaType: MANIFEST, digest: UNKNOWN, size: 100 };
    const body = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        artifactType: 'application/x.y',
        config,
        layers: [config],
        subject,
      }),
    );
    const came = await registry.ask('PUT', `/v2/${name}/manifests/${digestOf(body)}`, {
      headers: { 'content-type': MANIFEST },
      body,
    });
    assert.equal(came.status, 201);
    assert.equal(came.header('oci-subject'), UNKNOWN);
    const list = await registry.ask('GET', `/v2/${name}/referrers/${UNKNOWN}`);
    assert.equal((list.json() as { manifests: object[] }).manifests.length, 1);
  },
);

both('a manifest is removed by its digest, with its tags', async (registry, name) => {
  const { ask } = registry;
  const { descriptor } = await pushArtifact(registry, name, { tag: 'v1' });
  assert.equal((await ask('DELETE', `/v2/${name}/manifests/${descriptor.digest}`)).status, 202);
  for (const reference of ['v1', descriptor.digest])
    assert.equal((await ask('GET', `/v2/${name}/manifests/${reference}`)).status, 404);
  const list = await ask('GET', `/v2/${name}/tags/list`);
  if (list.status === 200) assert.deepEqual((list.json() as { tags: unknown[] | null }).tags ?? [], []);
});

ours('a tag is removed, and the manifest stays', async (registry, name) => {
  const { ask } = registry;
  const { descriptor } = await pushArtifact(registry, name, { tag: 'v1' });
  assert.equal((await ask('DELETE', `/v2/${name}/manifests/v1`)).status, 202);
  assert.equal((await ask('GET', `/v2/${name}/manifests/v1`)).status, 404);
  assert.equal((await ask('GET', `/v2/${name}/manifests/${descriptor.digest}`)).status, 200);
  assert.equal((await ask('DELETE', `/v2/${name}/manifests/v1`)).code(), 'MANIFEST_UNKNOWN');
});

both('a blob is removed', async ({ ask, pushBlob }, name) => {
  const { digest } = await pushBlob(name, randomBytes(40));
  assert.equal((await ask('DELETE', `/v2/${name}/blobs/${digest}`)).status, 202);
  assert.equal((await ask('GET', `/v2/${name}/blobs/${digest}`)).status, 404);
});

ours('a blob that a manifest names is not removed before it', async (registry, name) => {
  const { ask } = registry;
  const { layer, descriptor } = await pushArtifact(registry, name, { tag: 'v1' });
  const refused = await ask('DELETE', `/v2/${name}/blobs/${layer.digest}`);
  assert.deepEqual([refused.status, refused.code()], [405, 'UNSUPPORTED']);
  await ask('DELETE', `/v2/${name}/manifests/${descriptor.digest}`);
  assert.equal((await ask('DELETE', `/v2/${name}/blobs/${layer.digest}`)).status, 202);
});

ours('methods that a path does not have are refused', async ({ ask }, name) => {
  for (const path of ['tags/list', 'blobs/uploads/'])
    assert.equal((await ask('DELETE', `/v2/${name}/${path}`)).status, 405);
});

ours('an image that is pushed is one of the engine, and its index stays whole', async (registry, name) => {
  const images = ['amd64', 'arm64'].map((architecture) => {
    const image = imageOf({
      layers: [layerOf([{ name: 'hello', content: `for ${architecture} ${name}` }])],
      platform: { architecture },
    });
    return { image, platform: { os: 'linux', architecture } };
  });
  for (const { image } of images) {
    for (const { blob, mediaType } of image.layers) await registry.pushBlob(name, blob, mediaType);
    await registry.pushBlob(name, image.config.bytes);
    await registry.pushManifest(name, JSON.parse(image.manifest.bytes.toString()));
  }
  assert.deepEqual(store.images.list({ filter: { reference: [name] } }), []);
  const index = indexOf(images);
  await registry.pushManifest(name, JSON.parse(index.bytes.toString()), { tag: 'v2' });
  const [listed, ...others] = store.images.list({ filter: { reference: [name] } });
  assert.deepEqual(others, []);
  assert.deepEqual(listed?.RepoTags, [`${name}:v2`]);
  assert.deepEqual(listed?.RepoDigests, [`${name}@${index.digest}`]);
  assert.equal((await store.images.lowerDirs(store.images.resolve(`${name}:v2`))).length, 1);
  const got = await registry.ask('GET', `/v2/${name}/manifests/v2`);
  assert.equal(got.header('docker-content-digest'), index.digest);

  // What the engine drops, the registry no longer has: neither names nor bytes.
  await store.images.remove(`${name}:v2`, {});
  assert.equal((await registry.ask('GET', `/v2/${name}/manifests/v2`)).status, 404);
  for (const { image } of images) {
    assert.equal((await registry.ask('GET', `/v2/${name}/manifests/${image.manifest.digest}`)).status, 404);
    for (const { digest } of [...image.layers, image.config])
      assert.ok(!store.leftovers().includes(`content/blobs/sha256/${digest.slice(7)}`));
  }
});

ours('an image under a tag that something else takes loses that name', async (registry, name) => {
  const image = imageOf({ layers: [layerOf([{ name: 'a', content: name }])] });
  for (const { blob, mediaType } of image.layers) await registry.pushBlob(name, blob, mediaType);
  await registry.pushBlob(name, image.config.bytes);
  await registry.pushManifest(name, JSON.parse(image.manifest.bytes.toString()), { tag: 'v1' });
  assert.equal(store.images.resolve(`${name}:v1`).id, image.config.digest);
  const { descriptor } = await pushArtifact(registry, name, { tag: 'v1' });
  assert.throws(() => store.images.resolve(`${name}:v1`), /No such image/);
  const got = await registry.ask('HEAD', `/v2/${name}/manifests/v1`);
  assert.equal(got.header('docker-content-digest'), descriptor.digest);
  // The engine's own word counts in turn.
  store.images.tag(image.config.digest, { repo: name, tag: 'v1' });
  const again = await registry.ask('HEAD', `/v2/${name}/manifests/v1`);
  assert.equal(again.header('docker-content-digest'), image.manifest.digest);
});

ours('those that refer to one manifest are listed by pages', async (registry, name) => {
  const config = await registry.pushBlob(name, Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
  const subject = { mediaType: MANIFEST, digest: UNKNOWN, size: 100 };
  const wanted: string[] = [];
  for (let n = 0; n < 201; n += 1) {
    const manifest = { schemaVersion: 2, mediaType: MANIFEST, artifactType: 'a/b', config, layers: [] };
    const annotations = { n: String(n) };
    wanted.push((await registry.pushManifest(name, { ...manifest, subject, annotations })).digest);
  }
  const seen: string[] = [];
  let path = `/v2/${name}/referrers/${UNKNOWN}?artifactType=a/b`;
  for (let pages = 1; path !== ''; pages += 1) {
    const came = await registry.ask('GET', path);
    seen.push(...(came.json() as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest));
    path = /^<([^>]+)>; rel="next"$/.exec(came.header('link'))?.[1] ?? '';
    assert.equal(path === '', pages === 2);
  }
  assert.deepEqual(seen, wanted);
});

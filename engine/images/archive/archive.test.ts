import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { type TestStore, testStore } from '../../../workshop/testing/image-store.ts';
import { digestOf, imageOf, indexOf, layerOf, type TestImage } from '../../../workshop/testing/images.ts';
import { startLyingRegistry } from '../../../workshop/testing/lying-registry.ts';
import { type TarEntry, tarOf } from '../../../workshop/testing/tar.ts';
import { untar } from '../../../workshop/testing/untar.ts';
import type { ProgressLine } from '../../api/wire.ts';

const image = (...contents: readonly string[]) =>
  imageOf({
    layers: contents.map((content) => layerOf([{ name: content.slice(0, 8), content }])),
    config: { Cmd: ['sh'] },
  });

/** A store that pulled images under these names. */
async function stocked(images: Readonly<Record<string, TestImage>>): Promise<TestStore> {
  await using registry = await startLyingRegistry(
    Object.entries(images).map(([name, one]) => ({ name: `library/${name}`, image: one })),
  );
  const store = await testStore({ settings: { mirrors: [registry.url], insecureRegistries: [] } });
  for (const name of Object.keys(images)) await store.pull(name);
  return store;
}

async function save(store: TestStore, names: readonly string[], platform?: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await store.images.save({ names, platform })) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function load(store: TestStore, archive: Buffer, options: { platform?: string; quiet?: boolean } = {}) {
  const lines: ProgressLine[] = [];
  // Cut anywhere.
  async function* pieces() {
    for (let at = 0; at < archive.length; at += 10_007) yield archive.subarray(at, at + 10_007);
  }
  const signal = new AbortController().signal;
  await store.images.load({ archive: pieces(), signal, onProgress: (line) => lines.push(line), ...options });
  return lines;
}

const words = (lines: readonly ProgressLine[]) => lines.flatMap(({ stream }) => stream?.trim() ?? []);

/** An archive in docker's own layout. */
function dockerArchive(
  images: readonly { image: TestImage; tags?: readonly string[] }[],
  more: readonly TarEntry[] = [],
) {
  return tarOf([
    ...images.flatMap(({ image: one }) => [
      { name: `${one.config.digest.slice(7)}.json`, content: one.config.bytes },
      ...one.layers.map(({ blob, diffId }) => ({
        name: `${diffId.slice(7)}/layer.tar`,
        content: gunzipSync(blob),
      })),
    ]),
    {
      name: 'manifest.json',
      content: JSON.stringify(
        images.map(({ image: one, tags }) => ({
          Config: `${one.config.digest.slice(7)}.json`,
          RepoTags: tags ?? null,
          Layers: one.layers.map(({ diffId }) => `${diffId.slice(7)}/layer.tar`),
        })),
      ),
    },
    ...more,
  ]);
}

/** An archive that is an OCI layout. */
function layoutArchive(index: object, images: readonly TestImage[], more: readonly TarEntry[] = []) {
  const blob = (bytes: Buffer) => ({ name: `blobs/sha256/${digestOf(bytes).slice(7)}`, content: bytes });
  return tarOf([
    ...images.flatMap(({ config, manifest, layers }) => [
      blob(config.bytes),
      blob(manifest.bytes),
      ...layers.map((layer) => blob(layer.blob)),
    ]),
    { name: 'index.json', content: JSON.stringify(index) },
    { name: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
    ...more,
  ]);
}

const indexFor = (one: TestImage, annotations?: object) => ({
  schemaVersion: 2,
  manifests: [
    {
      mediaType: one.manifest.mediaType,
      digest: one.manifest.digest,
      size: one.manifest.bytes.length,
      annotations,
    },
  ],
});

test('images are saved as they came, several in one archive, and loaded as they were', async () => {
  const shared = layerOf([{ name: 'base', content: 'b'.repeat(4000) }]);
  const [one, two] = [
    imageOf({ layers: [shared, layerOf([{ name: 'one' }])] }),
    imageOf({ layers: [shared, layerOf([{ name: 'two' }], { compression: 'zstd' })] }),
  ];
  await using store = await stocked({ one, two });
  store.images.tag('one', { repo: 'one', tag: 'second' });
  const archive = await save(store, ['one', 'two:latest']);
  assert.deepEqual(await save(store, ['one', 'two:latest']), archive, 'the same bytes each time');
  const names = [...untar(archive).keys()];
  assert.deepEqual(
    names.filter((name) => !name.startsWith('blobs/')),
    ['index.json', 'manifest.json', 'oci-layout', 'repositories'],
  );
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.includes(`blobs/sha256/${one.manifest.digest.slice(7)}`));
  assert.ok(names.includes(`blobs/sha256/${shared.digest.slice(7)}`));

  await using other = await testStore();
  const lines = await load(other, archive);
  assert.deepEqual(words(lines).toSorted(), [
    'Loaded image: one:latest',
    'Loaded image: one:second',
    'Loaded image: two:latest',
  ]);
  assert.ok(lines.some(({ status, progressDetail }) => status === 'Loading layer' && progressDetail?.total));
  for (const [name, saved] of Object.entries({ one, two })) {
    const loaded = other.images.inspect(name);
    assert.equal(loaded.Id, saved.config.digest);
    assert.deepEqual(
      loaded.RootFS.Layers,
      saved.layers.map(({ diffId }) => diffId),
    );
  }
  assert.deepEqual(words(await load(other, archive, { quiet: true })).length, 3);
  for (const name of ['one:latest', 'one:second', 'two']) await other.images.remove(name, {});
  assert.deepEqual(other.leftovers(), []);
});

test('an image that was made here is saved with its exact layer', async () => {
  await using store = await testStore();
  const tar = tarOf([{ name: 'made', content: 'm'.repeat(100_000) }]);
  async function* archive() {
    yield tar;
  }
  const signal = new AbortController().signal;
  const id = await store.images.make({ layer: archive(), config: {}, target: { repo: 'made' }, signal });
  await using other = await testStore();
  assert.deepEqual(words(await load(other, await save(store, ['made']))), ['Loaded image: made:latest']);
  assert.equal(other.images.inspect('made').Id, id);
  assert.deepEqual(words(await load(other, await save(store, [id]))), [`Loaded image ID: ${id}`]);
});

test('docker archives are loaded: links, compressed or not, with and without names', async () => {
  const [one, two] = [image('first', 'second'), image('first', 'other')];
  const plain = dockerArchive([{ image: one, tags: ['app:1', 'localhost:5000/app:1'] }, { image: two }]);
  for (const archive of [plain, gzipSync(plain), zstdCompressSync(plain)]) {
    await using store = await testStore();
    assert.deepEqual(words(await load(store, archive)), [
      'Loaded image: app:1',
      'Loaded image: localhost:5000/app:1',
      `Loaded image ID: ${two.config.digest}`,
    ]);
  }
  const linked = tarOf([
    { name: 'a/layer.tar', content: gunzipSync(one.layers[0]?.blob ?? '') },
    { name: 'b/layer.tar', type: 'symlink', target: '../a/layer.tar' },
    {
      name: 'config.json',
      content: imageOf({ layers: [one.layers[0], one.layers[0]].flatMap((l) => l ?? []) }).config.bytes,
    },
    {
      name: 'manifest.json',
      content: JSON.stringify([
        { Config: 'config.json', RepoTags: ['linked:1'], Layers: ['a/layer.tar', 'b/layer.tar'] },
      ]),
    },
  ]);
  await using store = await testStore();
  assert.deepEqual(words(await load(store, linked)), ['Loaded image: linked:1']);
});

test('OCI layouts are loaded: names, indexes, platforms, and the manifest is kept', async () => {
  const one = image('one');
  await using store = await testStore();
  const named = { 'org.opencontainers.image.ref.name': 'localhost/app:2' };
  assert.deepEqual(words(await load(store, layoutArchive(indexFor(one, named), [one]))), [
    'Loaded image: localhost/app:2',
  ]);
  const onlyTag = { 'org.opencontainers.image.ref.name': 'latest' };
  assert.deepEqual(words(await load(store, layoutArchive(indexFor(one, onlyTag), [one]))), [
    `Loaded image ID: ${one.config.digest}`,
  ]);
  const whole = { 'io.containerd.image.name': 'docker.io/library/app:3', ...onlyTag };
  assert.deepEqual(words(await load(store, layoutArchive(indexFor(one, whole), [one]))), [
    'Loaded image: app:3',
  ]);
  assert.deepEqual(
    untar(await save(store, ['app:3'])).has(`blobs/sha256/${one.manifest.digest.slice(7)}`),
    true,
  );

  const riscv = { os: 'linux', architecture: 'riscv64' };
  const foreign = imageOf({ layers: [layerOf([{ name: 'riscv' }])], platform: riscv });
  const own = { os: 'linux', architecture: JSON.parse(one.config.bytes.toString()).architecture as string };
  const inner = indexOf([
    { image: one, platform: own },
    { image: foreign, platform: riscv },
  ]);
  const nested = layoutArchive(
    {
      schemaVersion: 2,
      manifests: [
        { mediaType: inner.mediaType, digest: inner.digest, size: inner.bytes.length, annotations: named },
      ],
    },
    [one, foreign],
    [{ name: `blobs/sha256/${inner.digest.slice(7)}`, content: inner.bytes }],
  );
  await load(store, nested);
  assert.equal(store.images.inspect('localhost/app:2').Id, one.config.digest);
  assert.deepEqual(
    words(await load(store, nested, { platform: 'linux/riscv64' })).at(-1),
    'Loaded image: localhost/app:2',
  );
  assert.equal(store.images.inspect('localhost/app:2').Id, foreign.config.digest);
  await assert.rejects(load(store, nested, { platform: 'linux/s390x' }), {
    code: 'notFound',
    hint: /linux\/riscv64/,
  });
  await assert.rejects(save(store, ['localhost/app:2'], 'linux/s390x'), {
    code: 'notFound',
    hint: /riscv64/,
  });
});

test('what is wrong with an archive is told, and nothing of it is kept', async () => {
  const one = image('one', 'two');
  const [first] = one.layers;
  const digest = first?.digest.slice(7);
  const list = (value: unknown) => tarOf([{ name: 'manifest.json', content: JSON.stringify(value) }]);
  const lie = (sizes: object) =>
    layoutArchive({ ...indexFor(one), manifests: [{ ...indexFor(one).manifests[0], ...sizes }] }, [one]);
  const cases: readonly [string, Buffer, RegExp][] = [
    ['not an archive', Buffer.from('x'.repeat(2000)), /no tar archive/],
    ['nothing', Buffer.alloc(0), /no image in the archive/],
    ['files of something else', tarOf([{ name: 'etc/passwd', content: 'x' }]), /no image in the archive/],
    ['cut off', dockerArchive([{ image: one }]).subarray(0, 1500), /cut off/],
    ['a list that is none', list({}), /not a list/],
    ['no config', list([{ Config: 'nowhere.json', RepoTags: [], Layers: [] }]), /lacks the config/],
    [
      'a config outside',
      list([{ Config: '../../etc/passwd', RepoTags: [], Layers: [] }]),
      /lacks the config/,
    ],
    ['names that are numbers', list([{ Config: 'x', RepoTags: [1], Layers: [] }]), /RepoTags/],
    ['a name that is none', dockerArchive([{ image: one, tags: ['UPPER:1'] }]), /invalid reference/],
    ['a file outside', tarOf([{ name: '../out', content: 'x' }]), /leaves it/],
    ['a device', tarOf([{ name: 'device', type: 'fifo' }]), /neither a file nor a directory/],
    ['a wrong size', lie({ size: 1 }), /bytes where 1 were promised/],
    ['a digest of nothing', lie({ digest: `sha256:${'0'.repeat(64)}` }), /lacks the manifest/],
    [
      'another blob',
      layoutArchive(indexFor(one), [one], [{ name: `blobs/sha256/${digest}`, content: 'other' }]),
      /not what its digest says/,
    ],
    [
      'another layer than its config names',
      dockerArchive(
        [{ image: one }],
        [{ name: `${first?.diffId.slice(7)}/layer.tar`, content: tarOf([{ name: 'evil' }]) }],
      ),
      /was promised/,
    ],
    [
      'links in a ring',
      tarOf([{ name: 'manifest.json', type: 'symlink', target: 'manifest.json' }]),
      /no image/,
    ],
  ];
  await using store = await testStore();
  for (const [what, archive, message] of cases)
    await assert.rejects(load(store, archive), { code: 'invalid', message }, what);
  assert.deepEqual(store.leftovers(), []);
});

test('an archive that is too large, or a bomb, is refused', async () => {
  const layerLimits = {
    maxBytes: 200_000,
    maxEntries: 100,
    maxNameBytes: 2 ** 20,
    maxRatio: 10,
    ratioFromBytes: 50_000,
  };
  await using store = await testStore({ layerLimits });
  const big = image('x'.repeat(300_000));
  await assert.rejects(load(store, dockerArchive([{ image: big }])), {
    code: 'invalid',
    message: /larger than/,
  });
  const bomb = gzipSync(dockerArchive([{ image: image('y'.repeat(100_000)) }]));
  await assert.rejects(load(store, bomb), { code: 'invalid', message: /more than 10 times/ });
  assert.deepEqual(store.leftovers(), []);
});

test('a load that is cancelled leaves nothing', async () => {
  const archive = dockerArchive([{ image: image('z'.repeat(100_000)) }]);
  await using store = await testStore();
  const controller = new AbortController();
  async function* pieces() {
    yield archive.subarray(0, 30_000);
    controller.abort();
    yield archive.subarray(30_000);
  }
  const { signal } = controller;
  await assert.rejects(store.images.load({ archive: pieces(), signal, onProgress: () => {} }), {
    code: 'cancelled',
  });
  assert.deepEqual(store.leftovers(), []);
});

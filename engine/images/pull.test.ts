import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { testStore } from '../../workshop/testing/image-store.ts';
import { imageOf, layerOf } from '../../workshop/testing/images.ts';
import { startLyingRegistry } from '../../workshop/testing/lying-registry.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { mount, unmount } from '../host/syscalls.ts';
import { defaultRegistryLimits } from '../registry/settings.ts';

const layer = (size: number) => layerOf([{ name: 'data', content: randomBytes(size) }]);

test('two pulls of one image fetch each layer once', async () => {
  const image = imageOf({ layers: [layer(200_000), layer(100_000)] });
  await using registry = await startLyingRegistry([
    { name: 'app', tag: 'one', image },
    { name: 'app', tag: 'two', image },
  ]);
  await using store = await testStore();
  const pulls = ['one', 'two'].map((tag) => store.pull(`${registry.host}/app:${tag}`));
  for (const lines of await Promise.all(pulls)) {
    assert.equal(lines.filter(({ status }) => status === 'Pull complete').length, 2);
  }
  for (const { digest } of image.layers) {
    assert.equal(registry.requests.filter(({ target }) => target === digest).length, 1);
  }
  assert.equal(store.images.count(), 1);
});

test('when one of two pulls is cancelled, the other goes on', async () => {
  const image = imageOf({ layers: [layer(2_000_000)] });
  await using registry = await startLyingRegistry([{ name: 'app', image }]);
  await using store = await testStore();
  const controller = new AbortController();
  const bothWait = Promise.withResolvers<void>();
  const cancelled = store.pull(`${registry.host}/app`, { signal: controller.signal });
  const other = store.pull(`${registry.host}/app`, {
    onProgress: ({ status }) => status === 'Pulling fs layer' && bothWait.resolve(),
  });
  await bothWait.promise;
  controller.abort();
  await assert.rejects(cancelled, { code: 'cancelled' });
  await other;
  assert.equal(store.images.count(), 1);
});

test('a pull that is cancelled while it downloads leaves nothing behind', async () => {
  const image = imageOf({ layers: [layer(300_000), layer(10)] });
  await using registry = await startLyingRegistry([{ name: 'app', image }], ({ target }) =>
    target === image.layers[0]?.digest ? { do: 'stall', afterBytes: 200_000 } : undefined,
  );
  await using store = await testStore();
  const controller = new AbortController();
  await assert.rejects(
    store.pull(`${registry.host}/app`, {
      signal: controller.signal,
      onProgress: ({ status }) => status === 'Downloading' && controller.abort(),
    }),
    { code: 'cancelled', message: /the pull of .*app:latest was cancelled/ },
  );
  assert.deepEqual(store.leftovers(), []);
});

test('whoever joined a pull that fails for its own reasons goes on by itself', async () => {
  const image = imageOf({ layers: [layer(1000)] });
  const blob = image.layers[0]?.digest;
  const waiting = Promise.withResolvers<void>();
  await using bad = await startLyingRegistry([{ name: 'app', image }], ({ target }) => {
    if (target !== blob) return undefined;
    waiting.resolve();
    return { do: 'stall', afterBytes: 10 };
  });
  await using good = await startLyingRegistry([{ name: 'app', image }]);
  const registryLimits = { ...defaultRegistryLimits, stallTimeoutMs: 1500, retries: 0 };
  await using store = await testStore({ registryLimits });
  const failing = assert.rejects(store.pull(`${bad.host}/app`), { code: 'unavailable' });
  await waiting.promise;
  await store.pull(`${good.host}/app`);
  await failing;
  assert.equal(bad.requests.filter(({ target }) => target === blob).length, 1);
  assert.equal(good.requests.filter(({ target }) => target === blob).length, 1);
  assert.equal(store.images.count(), 1);
});

for (const [when, sizes] of [
  ['while downloading', [6_000_000]],
  ['while unpacking', [3_000_000]],
] as const) {
  test(`a disk that is full ${when} is told in words, and nothing is left`, async () => {
    const image = imageOf({ layers: sizes.map(layer) });
    await using registry = await startLyingRegistry([{ name: 'app', image }]);
    await using directory = await tempRoot('full');
    const root = await directory.directory('disk');
    mount({ source: 'tmpfs', target: root, type: 'tmpfs', data: 'size=4m' });
    try {
      await using store = await testStore({ root });
      await assert.rejects(store.pull(`${registry.host}/app`), {
        code: 'unavailable',
        message: `no space left on the disk while pulling ${registry.host}/app:latest`,
        hint: new RegExp(`make room below ${root}`),
      });
      assert.deepEqual(store.leftovers(), []);
    } finally {
      unmount(root, { detach: true });
    }
  });
}

test('a failed pull keeps the layers that another image has', async () => {
  const shared = layer(1000);
  const good = imageOf({ layers: [shared] });
  const bad = imageOf({ layers: [shared, layer(2000)] });
  await using registry = await startLyingRegistry(
    [
      { name: 'good', image: good },
      { name: 'bad', image: bad },
    ],
    ({ target }) => (target === bad.layers[1]?.digest ? { do: 'corrupt' } : undefined),
  );
  await using store = await testStore();
  await store.pull(`${registry.host}/good`);
  const before = store.leftovers();
  const lines: unknown[] = [];
  await assert.rejects(
    store.pull(`${registry.host}/bad`, { onProgress: ({ status }) => lines.push(status) }),
  );
  assert.ok(lines.includes('Already exists'));
  assert.deepEqual(store.leftovers(), before);
});

test('a layer that a pull under way has fetched is not swept by another one', async () => {
  const [fetched, slow] = [layer(1000), layer(300_000)];
  await using registry = await startLyingRegistry(
    [
      { name: 'app', image: imageOf({ layers: [fetched, slow] }) },
      { name: 'other', image: imageOf({ layers: [layer(10)] }) },
    ],
    ({ target, earlier }) =>
      target === slow.digest && earlier === 0 ? { do: 'stall', afterBytes: 1000 } : undefined,
  );
  await using store = await testStore({ registryLimits: { ...defaultRegistryLimits, stallTimeoutMs: 2000 } });
  const halfway = Promise.withResolvers<void>();
  const pull = store.pull(`${registry.host}/app`, {
    onProgress: ({ status }) => status === 'Pull complete' && halfway.resolve(),
  });
  await halfway.promise;
  await store.pull(`${registry.host}/other`);
  await store.images.remove(`${registry.host}/other`, {});
  await pull;
  const image = store.images.resolve(`${registry.host}/app`);
  assert.equal((await store.images.lowerDirs(image)).length, 2);
});

test('what a killed engine had begun is gone after the next start', async () => {
  const image = imageOf({ layers: [layer(1000)] });
  await using registry = await startLyingRegistry([{ name: 'app', image }]);
  await using store = await testStore();
  await store.pull(`${registry.host}/app`);
  const before = store.leftovers();
  mkdirSync(`${store.root}/layers/new-7/fs/etc`, { recursive: true });
  mkdirSync(`${store.root}/layers/99/fs`, { recursive: true });
  mkdirSync(`${store.root}/layers/gone-3/fs`, { recursive: true });
  writeFileSync(`${store.root}/content/ingest/1-1`, 'half a blob');
  writeFileSync(`${store.root}/content/blobs/sha256/${'0'.repeat(64)}`, 'no row names it');
  await store.images.recover();
  assert.deepEqual(store.leftovers(), before);
});

test('an image of no layers has a directory for overlay, and a layer that is there twice one', async () => {
  const twice = layer(10);
  await using registry = await startLyingRegistry([
    { name: 'none', image: imageOf({ layers: [] }) },
    { name: 'twice', image: imageOf({ layers: [twice, layer(20), twice] }) },
  ]);
  await using store = await testStore();
  const directories = async (name: string) => {
    await store.pull(`${registry.host}/${name}`);
    return await store.images.lowerDirs(store.images.resolve(`${registry.host}/${name}`));
  };
  const [empty = '', ...more] = await directories('none');
  assert.deepEqual([readdirSync(empty), more], [[], []]);
  assert.equal((await directories('twice')).length, 2);
});

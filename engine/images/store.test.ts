import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type TestStore, testStore } from '../../workshop/testing/image-store.ts';
import {
  busyboxImage,
  digestOf,
  imageOf,
  layerOf,
  pushImage,
  type TestImage,
} from '../../workshop/testing/images.ts';
import { startLyingRegistry } from '../../workshop/testing/lying-registry.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';

test('an image is pulled, listed, inspected, used and removed', async () => {
  await using registry = await startRegistry();
  const pushed = await pushImage({ registry, name: 'library/busybox', ...(await busyboxImage()) });
  await using store = await testStore();
  const name = `${registry.host}/library/busybox`;
  const lines = await store.pull(name);
  const layer = pushed.layers[0]?.digest.slice(7, 19);
  assert.deepEqual(lines[0], { status: 'Pulling from library/busybox', id: 'latest' });
  assert.deepEqual(lines[1], { status: 'Pulling fs layer', progressDetail: {}, id: layer });
  assert.deepEqual(lines.slice(-2), [
    { status: `Digest: ${pushed.manifest.digest}` },
    { status: `Status: Downloaded newer image for ${name}:latest` },
  ]);
  for (const status of [
    'Downloading',
    'Verifying Checksum',
    'Download complete',
    'Extracting',
    'Pull complete',
  ]) {
    assert.ok(
      lines.some((line) => line.status === status && line.id === layer),
      status,
    );
  }

  const [summary] = store.images.list({});
  assert.equal(summary?.Id, pushed.config.digest);
  assert.deepEqual(summary?.RepoTags, [`${name}:latest`]);
  assert.deepEqual(summary?.RepoDigests, [`${name}@${pushed.manifest.digest}`]);
  const inspected = store.images.inspect(name);
  assert.deepEqual(inspected.Config.Cmd, ['sh']);
  assert.deepEqual(
    inspected.RootFS.Layers,
    pushed.layers.map(({ diffId }) => diffId),
  );

  const [directory = ''] = await store.images.lowerDirs(store.images.resolve(name));
  assert.equal(readlinkSync(join(directory, 'bin/sh')), 'busybox');
  assert.equal(lstatSync(join(directory, 'tmp')).mode & 0o7777, 0o1777);

  const again = await store.pull(name);
  assert.deepEqual(again.at(-1), { status: `Status: Image is up to date for ${name}:latest` });

  const removed = await store.images.remove(name, {});
  assert.deepEqual(removed, [
    { Untagged: `${name}:latest` },
    { Untagged: `${name}@${pushed.manifest.digest}` },
    { Deleted: pushed.config.digest },
    { Deleted: pushed.layers[0]?.diffId },
  ]);
  assert.deepEqual(store.leftovers(), []);
  assert.ok(readdirSync(store.root).includes('layers'));
});

const image = (
  content: string,
  options: { created?: string; labels?: Record<string, string> } = {},
): TestImage =>
  imageOf({
    layers: [layerOf([{ name: 'file', content }])],
    config: { Labels: options.labels ?? {} },
    ...(options.created === undefined ? {} : { created: options.created }),
  });

/** Images by name and tag, pulled through a mirror, so that their names are short. */
async function stocked(images: Readonly<Record<string, TestImage>>): Promise<TestStore> {
  await using registry = await startLyingRegistry(
    Object.entries(images).map(([name, one]) => {
      const [path = '', tag = 'latest'] = name.split(':');
      return { name: path.includes('/') ? path : `library/${path}`, tag, image: one };
    }),
  );
  const store = await testStore({ settings: { mirrors: [registry.url], insecureRegistries: [] } });
  for (const name of Object.keys(images)) await store.pull(name);
  return store;
}

test('images are listed newest first, and narrowed by filters', async () => {
  await using store = await stocked({
    'old:1': image('old', { created: '2020-01-01T00:00:00Z', labels: { tier: 'web', x: '' } }),
    'team/new:2': image('new', { created: '2024-01-01T00:00:00Z', labels: { tier: 'db' } }),
    'mid:3': image('mid', { created: '2022-01-01T00:00:00Z' }),
  });
  const names = (filter: Record<string, readonly string[]>) =>
    store.images.list({ filter }).flatMap(({ RepoTags }) => RepoTags ?? []);
  assert.deepEqual(names({}), ['team/new:2', 'mid:3', 'old:1']);
  assert.deepEqual(names({ label: ['tier'] }), ['team/new:2', 'old:1']);
  assert.deepEqual(names({ label: ['tier=web', 'x'] }), ['old:1']);
  assert.deepEqual(names({ before: ['mid:3'] }), ['old:1']);
  assert.deepEqual(names({ since: ['mid:3'] }), ['team/new:2']);
  assert.deepEqual(names({ reference: ['*'] }), ['mid:3', 'old:1']);
  assert.deepEqual(names({ reference: ['*:3', 'old'] }), ['mid:3', 'old:1']);
  assert.deepEqual(names({ reference: ['team/*'] }), ['team/new:2']);
  assert.deepEqual(names({ reference: ['[a-n]id:?'] }), ['mid:3']);
  assert.deepEqual(names({ dangling: ['true'] }), []);
  assert.equal(names({ dangling: ['false'] }).length, 3);
  assert.throws(() => names({ colour: ['red'] }), { code: 'invalid', message: "invalid filter 'colour'" });
  assert.throws(() => names({ dangling: ['perhaps'] }), { code: 'invalid' });
  assert.throws(() => names({ before: ['nothing'] }), { code: 'notFound' });
  assert.throws(() => names({ reference: ['[z-a]'] }), { code: 'invalid' });
});

test('an image is found by name, by id and by the beginning of its id', async () => {
  const one = image('one');
  await using store = await stocked({ one });
  const id = one.config.digest;
  for (const name of [
    'one',
    'one:latest',
    'docker.io/library/one',
    id,
    id.slice(7),
    id.slice(7, 13),
    id.slice(0, 12),
  ]) {
    assert.equal(store.images.resolve(name).id, id, name);
  }
  assert.throws(() => store.images.inspect('two'), {
    code: 'notFound',
    message: 'No such image: two:latest',
    hint: 'get it with: berth pull two:latest',
  });
  assert.throws(() => store.images.inspect(`sha256:${'0'.repeat(64)}`), { code: 'notFound' });
  assert.throws(() => store.images.inspect('UPPER'), { code: 'invalid' });
});

test('the beginning of several ids is not enough', async () => {
  const images = Object.fromEntries(
    Array.from({ length: 17 }, (_, index) => [`i${index}`, image(`${index}`)]),
  );
  await using store = await stocked(images);
  // Of 17 ids, two begin with the same digit.
  const first = Object.values(images).map(({ config }) => config.digest[7] ?? '');
  const twice = first.find((digit, index) => first.indexOf(digit) !== index) ?? '';
  assert.throws(() => store.images.inspect(`sha256:${twice}`), {
    code: 'invalid',
    message: /several images/,
  });
});

test('a tag that moves leaves the image before it under its digest', async () => {
  await using registry = await startRegistry();
  await using store = await testStore();
  const name = `${registry.host}/app`;
  const first = await pushImage({ registry, name: 'app', layers: [layerOf([{ name: 'a', content: '1' }])] });
  await store.pull(name);
  const second = await pushImage({ registry, name: 'app', layers: [layerOf([{ name: 'a', content: '2' }])] });
  const lines = await store.pull(name);
  assert.deepEqual(lines.at(-1), { status: `Status: Downloaded newer image for ${name}:latest` });
  assert.equal(store.images.resolve(name).id, second.config.digest);
  const old = store.images.inspect(first.config.digest);
  assert.deepEqual([old.RepoTags, old.RepoDigests], [[], [`${name}@${first.manifest.digest}`]]);
});

test('an image with several tags loses one by name, and goes by id only with force', async () => {
  const one = image('one');
  await using store = await stocked({ 'one:a': one, 'one:b': one, 'one:c': one });
  assert.deepEqual(await store.images.remove('one:a', {}), [{ Untagged: 'one:a' }]);
  await assert.rejects(store.images.remove(one.config.digest, {}), {
    code: 'conflict',
    message: /unable to delete [0-9a-f]{12} \(must be forced\) - image is referenced by multiple tags/,
  });
  const lines = await store.images.remove(one.config.digest.slice(7, 19), { force: true });
  assert.deepEqual(lines.slice(0, 2), [{ Untagged: 'one:b' }, { Untagged: 'one:c' }]);
  assert.deepEqual(store.leftovers(), []);
  assert.deepEqual(
    store.events.filter(({ action }) => action !== 'pull').map(({ action, name }) => `${action} ${name}`),
    [
      'untag one:a',
      'untag one:b',
      'untag one:c',
      `untag one@${one.manifest.digest}`,
      `delete ${one.config.digest}`,
    ],
  );
});

test('an image that a running container uses stays, with force too', async () => {
  const one = image('one');
  await using store = await stocked({ one });
  const id = one.config.digest;
  store.users.set(id, [{ containerId: 'c'.repeat(64), running: true }]);
  for (const force of [false, true]) {
    await assert.rejects(store.images.remove(id, { force }), {
      code: 'conflict',
      message: /\(cannot be forced\) - image is being used by running container c{12}$/,
    });
  }
  await assert.rejects(store.images.remove('one', {}), {
    code: 'conflict',
    message: /unable to remove repository reference "one" \(must force\) - container c{12} is using/,
  });
  // As with dockerd: by name and with force it loses the name, and is kept without one.
  await store.images.remove('one', { force: true });
  assert.deepEqual(store.images.inspect(id).RepoTags, []);
  assert.equal((await store.images.lowerDirs(store.images.resolve(id))).length, 1);
});

test('an image that a stopped container uses goes with force, and its layers stay as long as the container', async () => {
  const one = image('one');
  await using store = await stocked({ one });
  const id = one.config.digest;
  store.users.set(id, [{ containerId: 'd'.repeat(64), running: false }]);
  await assert.rejects(store.images.remove(id, {}), {
    code: 'conflict',
    message: /must be forced.*stopped container/,
  });
  await store.images.remove(id, { force: true });
  assert.deepEqual(store.images.list({}), []);
  assert.throws(() => store.images.inspect(id), { code: 'notFound' });
  const [directory = ''] = await store.images.lowerDirs(store.images.resolve(id));
  assert.deepEqual(readdirSync(directory), ['file']);
  await store.images.recover();
  assert.deepEqual(readdirSync(directory), ['file']);
  store.users.delete(id);
  await store.images.recover();
  assert.deepEqual(store.leftovers(), []);
});

test('a layer that two images share goes with the last of them', async () => {
  const base = layerOf([{ name: 'base' }]);
  const upper = layerOf([{ name: 'b' }]);
  await using store = await stocked({
    a: imageOf({ layers: [base, layerOf([{ name: 'a' }])] }),
    b: imageOf({ layers: [base, upper] }),
  });
  await store.images.remove('a', {});
  const directories = await store.images.lowerDirs(store.images.resolve('b'));
  assert.deepEqual(
    directories.map((path) => readdirSync(path)),
    [['b'], ['base']],
  );
  // As dockerd names them: by chain, uppermost first.
  const lines = await store.images.remove('b', {});
  assert.deepEqual(lines.slice(-2), [
    { Deleted: digestOf(Buffer.from(`${base.diffId} ${upper.diffId}`)) },
    { Deleted: base.diffId },
  ]);
  assert.deepEqual(store.leftovers(), []);
});

test('an image whose config is damaged on disk is mended by a pull, and can be removed', async () => {
  const one = image('one');
  await using registry = await startLyingRegistry([{ name: 'one', image: one }]);
  await using store = await testStore();
  const name = `${registry.host}/one`;
  const damage = () =>
    writeFileSync(join(store.root, 'content/blobs/sha256', one.config.digest.slice(7)), 'damaged');
  await store.pull(name);
  damage();
  assert.throws(() => store.images.inspect(name), {
    code: 'internal',
    message: /damaged/,
    hint: 'pull the image again',
  });
  await store.pull(name);
  assert.equal(store.images.inspect(name).Os, 'linux');
  damage();
  await store.images.remove(name, {});
  assert.deepEqual(store.leftovers(), []);
});

test('the blobs of layers are kept as they came, counted, and go with the last image that has them', async () => {
  const base = layerOf([{ name: 'base', content: 'b'.repeat(5000) }]);
  const own = layerOf([{ name: 'a', content: 'a'.repeat(3000) }], { compression: 'zstd' });
  const [a, b] = [imageOf({ layers: [base, own] }), imageOf({ layers: [base] })];
  await using store = await stocked({ a, b });
  const fileOf = (digest: string) => join(store.root, 'content/blobs/sha256', digest.slice(7));
  for (const { digest, blob } of a.layers) assert.deepEqual(readFileSync(fileOf(digest)), blob);

  const { LayersSize: size, Images: images } = store.images.usage();
  assert.equal(size, 8000 + base.blob.length + own.blob.length);
  assert.deepEqual(
    Object.fromEntries(images.map(({ RepoTags, Size, SharedSize }) => [RepoTags?.[0], [Size, SharedSize]])),
    {
      'a:latest': [8000 + base.blob.length + own.blob.length, 5000 + base.blob.length],
      'b:latest': [5000 + base.blob.length, 5000 + base.blob.length],
    },
  );
  assert.equal(store.images.inspect('a').Size, 8000);

  await store.images.recover();
  assert.ok(existsSync(fileOf(own.digest)) && existsSync(fileOf(base.digest)));
  store.images.tag('a', { repo: 'untagged' });
  const pruned = await store.images.prune({ filter: { dangling: ['false'] } });
  assert.equal(pruned.SpaceReclaimed, size);
  assert.deepEqual(store.leftovers(), []);
});

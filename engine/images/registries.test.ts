import assert from 'node:assert/strict';
import test from 'node:test';
import { testStore } from '../../workshop/testing/image-store.ts';
import {
  busyboxImage,
  type Compression,
  hostArchitecture,
  imageOf,
  indexOf,
  layerOf,
  push,
  pushImage,
  pushManifest,
} from '../../workshop/testing/images.ts';
import { type Lie, startLyingRegistry } from '../../workshop/testing/lying-registry.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { defaultRegistryLimits, defaultRegistrySettings } from '../registry/settings.ts';

const small = (content: string) => layerOf([{ name: 'file', content }]);
const quick = { ...defaultRegistryLimits, retries: 0, backoffMs: 1 };

test('a registry with passwords serves who has one, and tells the others what to do', async () => {
  await using registry = await startRegistry({ mode: 'htpasswd' });
  await pushImage({ registry, name: 'app', layers: [small('x')] });
  await using store = await testStore();
  const refused = {
    code: 'unauthorized',
    message: /access to .*\/app:latest denied/,
    hint: /berth login 127\.0\.0\.1/,
  };
  await assert.rejects(store.pull(`${registry.host}/app`), refused);
  await assert.rejects(
    store.pull(`${registry.host}/app`, { auth: { username: 'skipper', password: 'wrong' } }),
    refused,
  );
  assert.deepEqual(store.leftovers(), []);
  assert.ok(registry.credentials !== undefined);
  await store.pull(`${registry.host}/app`, { auth: registry.credentials });
  assert.equal(store.images.count(), 1);
});

test('a registry on loopback may speak TLS with any certificate', async () => {
  await using registry = await startRegistry({ mode: 'tls' });
  await pushImage({ registry, name: 'app', layers: [small('x')] });
  await using store = await testStore();
  await store.pull(`${registry.host}/app`);
  assert.equal(store.images.count(), 1);
});

test('a registry whose authority is set is checked against it, and never asked in plain HTTP', async () => {
  await using registry = await startRegistry({ mode: 'tls' });
  await using impostor = await startRegistry({ mode: 'tls' });
  await using plain = await startRegistry();
  for (const target of [registry, impostor, plain])
    await pushImage({ registry: target, name: 'app', layers: [small('x')] });
  const ca = registry.ca ?? '';
  const settings = {
    ...defaultRegistrySettings,
    ca: { [registry.host]: ca, [impostor.host]: ca, [plain.host]: ca },
  };
  await using store = await testStore({ settings, registryLimits: quick });
  await store.pull(`${registry.host}/app`);
  await assert.rejects(store.pull(`${impostor.host}/app`), {
    code: 'unavailable',
    message: /self-signed certificate|certificate/,
    hint: /insecureRegistries/,
  });
  await assert.rejects(store.pull(`${plain.host}/app`), { code: 'unavailable' });
});

test('a token is fetched from the service that the registry names, with the password', async () => {
  const image = imageOf({ layers: [small('x')] });
  await using registry = await startLyingRegistry(
    [{ name: 'team/app', image }],
    ({ kind, headers, path }) => {
      if (kind === 'token') {
        const allowed = headers.authorization === `Basic ${Buffer.from('me:secret').toString('base64')}`;
        if (!allowed) return { do: 'status', status: 401 };
        return { do: 'serve', bytes: Buffer.from(JSON.stringify({ token: 'tok' })) };
      }
      if (headers.authorization === 'Bearer tok' || path === '/v2/') return undefined;
      const challenge = `Bearer realm="http://${headers.host}/token",service="svc",scope="repository:team/app:pull"`;
      return { do: 'status', status: 401, headers: { 'www-authenticate': challenge } };
    },
  );
  await using store = await testStore({ registryLimits: quick });
  const name = `${registry.host}/team/app`;
  await assert.rejects(store.pull(name), { code: 'unauthorized' });
  await store.pull(name, { auth: { username: 'me', password: 'secret' } });
  const token = registry.requests.findLast(({ kind }) => kind === 'token');
  assert.equal(token?.path, '/token?service=svc&scope=repository%3Ateam%2Fapp%3Apull');
});

test('an identity token is exchanged, a registry token is used as it is', async () => {
  const image = imageOf({ layers: [small('x')] });
  await using registry = await startLyingRegistry(
    [{ name: 'app', image }],
    ({ kind, method, headers, path }) => {
      if (kind === 'token') {
        assert.equal(method, 'POST');
        return { do: 'serve', bytes: Buffer.from(JSON.stringify({ access_token: 'tok' })) };
      }
      if (headers.authorization === 'Bearer tok' || path === '/v2/') return undefined;
      const challenge = `Bearer realm="http://${headers.host}/token"`;
      return { do: 'status', status: 401, headers: { 'www-authenticate': challenge } };
    },
  );
  await using store = await testStore({ registryLimits: quick });
  await store.pull(`${registry.host}/app`, { auth: { identitytoken: 'refresh' } });
  await store.pull(`${registry.host}/app`, { auth: { registrytoken: 'tok' } });
  assert.equal(registry.requests.filter(({ kind }) => kind === 'token').length, 1);
});

test('a password is not sent to where a registry redirects', async () => {
  const image = imageOf({ layers: [small('x')] });
  await using storage = await startLyingRegistry([{ name: 'app', image }]);
  await using registry = await startLyingRegistry(
    [{ name: 'app', image }],
    ({ kind, headers, path }): Lie | undefined => {
      if (path === '/v2/') return undefined;
      if (headers.authorization === undefined) {
        return { do: 'status', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
      }
      return kind === 'blob'
        ? { do: 'status', status: 307, headers: { location: `${storage.url}${path}` } }
        : undefined;
    },
  );
  await using store = await testStore({ registryLimits: quick });
  await store.pull(`${registry.host}/app`, { auth: { username: 'me', password: 'secret' } });
  assert.equal(storage.requests.length, 2);
  assert.deepEqual(
    storage.requests.map(({ headers }) => headers.authorization),
    [undefined, undefined],
  );
});

test('mirrors of Docker Hub are asked first, one after the other', async () => {
  const image = imageOf({ layers: [small('x')] });
  await using broken = await startLyingRegistry([], () => ({ do: 'status', status: 500 }));
  await using curious = await startLyingRegistry([], ({ path }) =>
    path === '/v2/'
      ? undefined
      : { do: 'status', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } },
  );
  await using lacking = await startLyingRegistry([]);
  await using good = await startLyingRegistry([{ name: 'library/app', image }]);
  const settings = {
    ...defaultRegistrySettings,
    mirrors: [broken.url, curious.url, lacking.url, `${good.url}/`],
  };
  await using store = await testStore({ settings, registryLimits: quick });
  await store.pull('app', { auth: { username: 'me', password: 'secret' } });
  assert.deepEqual(store.images.inspect('app').RepoTags, ['app:latest']);
  assert.ok(broken.requests.length > 0 && lacking.requests.length > 0);
  // The password is Docker Hub's.
  assert.ok(
    curious.requests.length > 0 &&
      curious.requests.every(({ headers }) => headers.authorization === undefined),
  );
  // What the mirrors lack, they are not asked for again.
  assert.deepEqual([...new Set(lacking.requests.map(({ kind }) => kind))], ['manifest']);
});

for (const format of ['oci', 'docker'] as const) {
  for (const compression of ['gzip', 'zstd', 'none'] as const satisfies readonly Compression[]) {
    test(`a manifest of ${format} with ${compression} layers is understood`, async () => {
      const layers = [layerOf([{ name: 'f', content: 'x' }], { format, compression })];
      await using registry = await startLyingRegistry([{ name: 'app', image: imageOf({ layers, format }) }]);
      await using store = await testStore({ registryLimits: quick });
      await store.pull(`${registry.host}/app`);
      assert.equal(store.images.count(), 1);
    });
  }

  test(`of an index of ${format} the image for the platform is chosen`, async () => {
    await using registry = await startRegistry();
    const platforms = [
      { os: 'linux', architecture: hostArchitecture },
      { os: 'linux', architecture: 'arm', variant: 'v6' },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
      { os: 'linux', architecture: 's390x' },
    ];
    const images = platforms.map((platform) => ({
      platform,
      image: imageOf({
        layers: [layerOf([{ name: 'p', content: JSON.stringify(platform) }], { format })],
        platform,
        format,
      }),
    }));
    for (const { image } of images) await push({ registry, name: 'app', image });
    const index = indexOf(images, format);
    await pushManifest({ registry, name: 'app', tag: 'latest', manifest: index });
    await using store = await testStore();
    const name = `${registry.host}/app`;
    const pulled = async (platform?: string) => {
      await store.pull(name, platform === undefined ? {} : { platform });
      return store.images.resolve(name).id;
    };
    assert.equal(await pulled(), images[0]?.image.config.digest);
    assert.equal(await pulled('linux/s390x'), images[3]?.image.config.digest);
    assert.equal(await pulled('linux/arm/v7'), images[2]?.image.config.digest);
    assert.equal(await pulled('linux/arm/v6'), images[1]?.image.config.digest);
    // The digest that people pin is that of the index.
    assert.deepEqual(store.images.inspect(name).RepoDigests, [`${name}@${index.digest}`]);
    await assert.rejects(store.pull(name, { platform: 'linux/riscv64' }), {
      code: 'notFound',
      message: `${name}:latest has no image for linux/riscv64`,
      hint: `it has linux/${hostArchitecture}, linux/arm/v6, linux/arm/v7, linux/s390x: choose with --platform`,
    });
    await assert.rejects(store.pull(name, { platform: 'a/b/c/d' }), {
      code: 'invalid',
      message: /invalid platform/,
    });
  });
}

test('an image for another platform than was asked for is not taken', async () => {
  await using registry = await startRegistry();
  await pushImage({ registry, name: 'app', layers: [small('x')], platform: { architecture: 's390x' } });
  await using store = await testStore();
  await assert.rejects(store.pull(`${registry.host}/app`, { platform: 'linux/arm64' }), {
    code: 'notFound',
    hint: 'it has linux/s390x: choose with --platform',
  });
  assert.deepEqual(store.leftovers(), []);
});

test('an image is pulled by its digest, and has no tag then', async () => {
  await using registry = await startRegistry();
  const image = await pushImage({ registry, name: 'app', ...(await busyboxImage()) });
  await using store = await testStore();
  const name = `${registry.host}/app@${image.manifest.digest}`;
  const lines = await store.pull(name);
  assert.deepEqual(lines.at(-1), { status: `Status: Downloaded newer image for ${name}` });
  const inspected = store.images.inspect(name);
  assert.deepEqual([inspected.RepoTags, inspected.RepoDigests], [[], [name]]);
  assert.deepEqual((await store.pull(name)).at(-1), { status: `Status: Image is up to date for ${name}` });
  await assert.rejects(store.pull(`${registry.host}/app@sha256:${'0'.repeat(64)}`), { code: 'notFound' });
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { startEngine, type TestEngine } from '../../workshop/testing/engine.ts';
import { testStore } from '../../workshop/testing/image-store.ts';
import { digestOf, layerOf, pushImage } from '../../workshop/testing/images.ts';
import { peerMissing, startDockerd, startPodman } from '../../workshop/testing/peers.ts';
import { selfSigned } from '../../workshop/testing/registry.ts';
import { registryClient, withDigest } from '../../workshop/testing/registry-client.ts';
import { type TempRoot, tempRoot } from '../../workshop/testing/temp.ts';
import type { BerthError } from '../api/errors.ts';
import { passwordLine } from '../api/passwords.ts';
import type { RegistryAccess, RegistryServeBody } from '../api/wire/registry.ts';
import { createClient, parseHost } from '../client/index.ts';

/** The engine's registry as engines and people use it. */

type Served = AsyncDisposable & {
  readonly url: string;
  readonly host: string;
  readonly log: RegistryAccess[];
};

/** Has an engine serve until it is disposed of. */
async function serve(engine: TestEngine, body: RegistryServeBody = {}): Promise<Served> {
  const ending = new AbortController();
  const lines = engine.client.lines(
    'registryServe',
    {},
    { body: { Port: 0, ...body }, signal: ending.signal },
  );
  const first = (await lines.next()).value;
  assert.ok(first !== undefined && 'listening' in first);
  const log: RegistryAccess[] = [];
  const ended = (async () => {
    for await (const line of lines) if (!('listening' in line)) log.push(line);
  })().catch(() => undefined);
  return {
    url: first.listening,
    host: new URL(first.listening).host,
    log,
    [Symbol.asyncDispose]: async () => {
      ending.abort();
      await ended;
    },
  };
}

async function pull(host: string, image: string, auth?: object): Promise<void> {
  const client = createClient(parseHost(host));
  const header = Buffer.from(JSON.stringify(auth ?? {})).toString('base64');
  try {
    const headers = { 'X-Registry-Auth': header };
    const [name = '', tag = 'latest'] = image.split(/:(?=[^/]*$)/);
    for await (const _line of client.lines('imagePull', { fromImage: name, tag }, { headers }));
  } finally {
    client.close();
  }
}

async function pushFrom(host: string, image: string): Promise<void> {
  const client = createClient(parseHost(host));
  const colon = image.lastIndexOf(':');
  const [name, tag] = [image.slice(0, colon), image.slice(colon + 1)];
  try {
    const headers = { 'X-Registry-Auth': Buffer.from('{}').toString('base64') };
    for await (const _line of client.lines('imagePush', { name, tag }, { headers }));
  } finally {
    client.close();
  }
}

describe('registry', () => {
  const stack = new AsyncDisposableStack();
  let engine: TestEngine;
  let root: TempRoot;
  before(async () => {
    root = stack.use(await tempRoot('served'));
    const passwords = root.join('users');
    await writeFile(passwords, `${await passwordLine('eve', 'apple')}\n`);
    engine = stack.use(await startEngine({ settings: { registry: { port: 0, passwords } } }));
  });
  after(() => stack.disposeAsync());

  const refused = async (body: object, expected: { readonly code: string; readonly message: RegExp }) =>
    await assert.rejects(serve(engine, body as RegistryServeBody), (error: BerthError) => {
      assert.equal(error.code, expected.code);
      assert.match(error.message, expected.message);
      return true;
    });

  test('another store pulls what this engine has, the same to the digest', async () => {
    await using served = await serve(engine);
    await using other = await testStore();
    await other.pull(`${served.host}/library/busybox`);
    const here = await engine.client.call('imageInspect', { name: 'busybox' });
    const there = other.images.inspect(`${served.host}/library/busybox`);
    assert.equal(there.Id, here.Id);
    const digestsOf = ({ RepoDigests }: typeof here) => RepoDigests.map((name) => name.split('@')[1]);
    assert.deepEqual(digestsOf(there), digestsOf(here));
    assert.ok(served.log.some(({ path, status }) => /manifests\/latest/.test(path) && status === 200));
  });

  test('another store has it as a mirror of Docker Hub', async () => {
    await using served = await serve(engine);
    await using other = await testStore({ settings: { mirrors: [served.url], insecureRegistries: [] } });
    await other.pull('busybox');
    assert.deepEqual(other.images.inspect('busybox').RepoTags, ['busybox:latest']);
  });

  test('an image that was made here is offered, its layer compressed once', async () => {
    await using served = await serve(engine);
    const { Id } = await engine.client.call(
      'containerCreate',
      {},
      { body: { Image: 'busybox', Cmd: ['true'] } },
    );
    const commit = { container: Id, repo: 'team/made', tag: 'v1' };
    await engine.client.call('containerCommit', commit);
    await engine.client.act('containerRemove', { id: Id });
    const { ask } = registryClient(served.url);
    const first = await ask('GET', '/v2/team/made/manifests/v1');
    assert.equal(first.status, 200, first.body.toString());
    const manifest = first.json() as {
      readonly layers: readonly { readonly mediaType: string; readonly digest: string }[];
    };
    for (const { mediaType, digest } of manifest.layers) {
      assert.match(mediaType, /gzip$/);
      const blob = await ask('GET', `/v2/team/made/blobs/${digest}`);
      assert.equal(digestOf(blob.body), digest);
    }
    const again = await ask('GET', `/v2/team/made/manifests/${first.header('docker-content-digest')}`);
    assert.deepEqual(again.body, first.body);
  });

  test('an image of another registry stands under its host, and pushes to it are images here', async () => {
    await using served = await serve(engine);
    const layers = [layerOf([{ name: 'hello', content: 'from outside' }])];
    const image = await pushImage({
      registry: served,
      name: 'registry.example__5000/team/app',
      tag: 'v1',
      layers,
    });
    const found = await engine.client.call('imageInspect', { name: 'registry.example:5000/team/app:v1' });
    assert.equal(found.Id, image.config.digest);
    const catalog = await registryClient(served.url).ask('GET', '/v2/_catalog');
    const { repositories } = catalog.json() as { readonly repositories: readonly string[] };
    assert.ok(repositories.includes('registry.example__5000/team/app'));
    assert.ok(repositories.includes('library/busybox'));
    await engine.client.call('imageRemove', { name: 'registry.example:5000/team/app:v1' });
  });

  test('this engine pushes to another one, and what it made is the same there', async () => {
    await using served = await serve(engine);
    await using other = await testStore();
    await other.pull(`${served.host}/library/busybox`);
    other.images.tag(`${served.host}/library/busybox`, { repo: `${served.host}/team/pushed`, tag: 'v1' });
    const { signal } = new AbortController();
    const name = `${served.host}/team/pushed`;
    await other.images.push({ name, tag: 'v1', signal, onProgress: () => undefined });
    const pushed = await engine.client.call('imageInspect', { name: 'team/pushed:v1' });
    assert.equal(pushed.Id, (await engine.client.call('imageInspect', { name: 'busybox' })).Id);
    assert.ok(pushed.RepoTags.includes('team/pushed:v1'));
  });

  for (const [name, start] of [
    ['dockerd', startDockerd],
    ['podman', startPodman],
  ] as const) {
    test(`${name} pulls from it and pushes to it, and what it pushed runs`, async (context) => {
      const missing = await peerMissing(name);
      if (missing !== undefined) return context.skip(missing);
      await using served = await serve(engine);
      await using peer = await start({ insecureRegistries: [served.host] });
      assert.ok(peer !== undefined);
      await peer.reachPort(Number(new URL(served.url).port));
      await pull(peer.host, `${served.host}/library/busybox`);
      const client = createClient(parseHost(peer.host));
      await client.act('imageTag', {
        name: `${served.host}/library/busybox`,
        repo: `${served.host}/team/from-${name}`,
        tag: 'v1',
      });
      client.close();
      await pushFrom(peer.host, `${served.host}/team/from-${name}:v1`);
      const image = `team/from-${name}:v1`;
      const { Id } = await engine.client.call(
        'containerCreate',
        {},
        { body: { Image: image, Cmd: ['true'] } },
      );
      await engine.client.act('containerStart', { id: Id });
      const { StatusCode } = await engine.client.call('containerWait', { id: Id });
      assert.equal(StatusCode, 0);
      await engine.client.act('containerRemove', { id: Id });
    });
  }

  test('with TLS and passwords, only who is in the file gets in', async () => {
    const { cert, key } = await selfSigned(root);
    const [Cert, Key] = await Promise.all([readFile(cert, 'utf8'), readFile(key, 'utf8')]);
    const body = { Cert, Key, Passwords: `# people\n${await passwordLine('ada', 'open: sesame')}\n` };
    await using served = await serve(engine, body);
    assert.match(served.url, /^https:/);
    await using other = await testStore();
    const image = `${served.host}/library/busybox`;
    const ada = { username: 'ada', password: 'open: sesame' };
    for (const auth of [undefined, { ...ada, password: 'no' }, { ...ada, username: 'eve' }])
      await assert.rejects(other.pull(image, { auth }), (error: BerthError) => error.code === 'unauthorized');
    await other.pull(image, { auth: ada });
    assert.deepEqual(
      [...new Set(served.log.filter(({ status }) => status < 300).map(({ user }) => user))],
      ['ada'],
    );
    assert.ok(!JSON.stringify(served.log).includes('sesame'));
  });

  test('read-only, it takes nothing', async () => {
    await using served = await serve(engine, { ReadOnly: true });
    const { ask } = registryClient(served.url);
    assert.equal((await ask('GET', '/v2/library/busybox/tags/list')).status, 200);
    for (const [method, path] of [
      ['POST', '/v2/team/x/blobs/uploads/'],
      ['DELETE', '/v2/library/busybox/manifests/latest'],
      ['PUT', '/v2/team/x/manifests/latest'],
    ] as const) {
      const came = await ask(method, path);
      assert.deepEqual([came.status, came.code()], [403, 'DENIED']);
    }
    await engine.client.call('imageInspect', { name: 'busybox' });
  });

  test('it refuses to listen beyond this machine unguarded, and where it cannot', async () => {
    await refused({ Address: '0.0.0.0' }, { code: 'forbidden', message: /TLS and passwords are needed/ });
    await refused({ Address: 'somewhere' }, { code: 'invalid', message: /invalid address 'somewhere'/ });
    await refused(
      { Address: '203.0.113.9', Insecure: true },
      { code: 'invalid', message: /not an address of this machine/ },
    );
    await refused({ Cert: 'x' }, { code: 'invalid', message: /the key is missing/ });
    await refused({ Cert: 'x', Key: 'y' }, { code: 'invalid', message: /can't be used/ });
    await refused(
      { Passwords: 'ada:$2y$05$abcdefghijklmnopqrstuv' },
      { code: 'invalid', message: /line 1: the password of ada is not hashed with scrypt/ },
    );
    await refused({ Passwords: '\n' }, { code: 'invalid', message: /no name/ });
    await refused({ Port: 70_000 }, { code: 'invalid', message: /Port/ });
    await refused({ Prot: 1 }, { code: 'invalid', message: /Prot/ });
    await using served = await serve(engine);
    await refused({ Port: Number(new URL(served.url).port) }, { code: 'conflict', message: /is taken/ });
  });

  test('it ends with the connection that asked for it', async () => {
    const served = await serve(engine);
    await served[Symbol.asyncDispose]();
    // The listener closes as the engine sees the connection go: until then it may answer once more.
    const { ask } = registryClient(served.url);
    while (
      await ask('GET', '/v2/').then(
        () => true,
        () => false,
      )
    );
  });

  test('killed in the middle of an upload, nothing of it is there, and what was pushed is', async () => {
    const layers = [layerOf([{ name: 'kept', content: 'kept' }])];
    const served = await serve(engine);
    const whole = await pushImage({ registry: served, name: 'team/kept', tag: 'v1', layers });
    const { ask } = registryClient(served.url);
    const begun = await ask('POST', '/v2/team/kept/blobs/uploads/');
    const bytes = randomBytes(200_000);
    const part = await ask('PATCH', begun.header('location'), { body: bytes.subarray(0, 100_000) });
    assert.equal(part.status, 202);
    // And one whose body is on its way.
    const target = new URL(
      withDigest((await ask('POST', '/v2/team/kept/blobs/uploads/')).header('location'), digestOf(bytes)),
      served.url,
    );
    const sending = request(target, { method: 'PUT', headers: { 'content-length': bytes.length } });
    sending.on('error', () => undefined);
    sending.write(bytes.subarray(0, 150_000));
    await once(sending, 'drain').catch(() => undefined);
    await engine.kill();
    await engine.start();
    assert.deepEqual(await readdir(join(engine.root, 'content/ingest')), []);
    assert.ok(!existsSync(join(engine.root, 'content/blobs/sha256', digestOf(bytes).slice(7))));
    await using again = await serve(engine);
    const after = registryClient(again.url);
    assert.equal((await after.ask('GET', part.header('location'))).code(), 'BLOB_UPLOAD_UNKNOWN');
    const got = await after.ask('GET', '/v2/team/kept/manifests/v1');
    assert.equal(got.header('docker-content-digest'), whole.manifest.digest);
  });

  test('the settings have the engine serve it always', async () => {
    const log = await readFile(join(engine.runDir, 'engine.log'), 'utf8');
    const url = /serving images as a registry at (\S+)(?![^]*serving images)/.exec(log)?.[1] ?? '';
    assert.equal((await registryClient(url).ask('GET', '/v2/')).status, 401);
    const eve = registryClient(url, { username: 'eve', password: 'apple' });
    assert.equal((await eve.ask('GET', '/v2/')).status, 200);
  });
});

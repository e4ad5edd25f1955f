import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, describe } from 'node:test';
import { type TestStore, testStore } from '../../workshop/testing/image-store.ts';
import { imageOf, layerOf, pushImage } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { registryClient } from '../../workshop/testing/registry-client.ts';
import type { CheckFinding, CheckSummary } from '../api/wire/check.ts';
import { listen } from '../distribution/listener.ts';
import { check } from './check.ts';
import { systemHandlers } from './handlers/system.ts';

/** Each kind of damage is done, found, and repaired. */

const undo = new AsyncDisposableStack();
after(() => undo.disposeAsync());
const registry = undo.use(await startRegistry());
const layers = [
  layerOf([
    { name: 'big', content: Buffer.alloc(300_000, 'abc') },
    { name: 'etc/', type: 'directory' },
  ]),
  layerOf([{ name: 'etc/motd', content: 'hello' }]),
];
const image = await pushImage({ registry, name: 'team/app', layers });
const name = `${registry.host}/team/app`;

type Checked = { readonly findings: readonly CheckFinding[]; readonly summary: CheckSummary };

async function run(store: TestStore, repair = false): Promise<Checked> {
  const signal = new AbortController().signal;
  const findings: CheckFinding[] = [];
  let summary: CheckSummary | undefined;
  for await (const line of check(await store.images.checks(signal), { repair, signal })) {
    if ('finding' in line) findings.push(line.finding);
    if ('summary' in line) ({ summary } = line);
  }
  assert.ok(summary !== undefined);
  return { findings, summary };
}

async function sound(store: TestStore): Promise<void> {
  assert.deepEqual((await run(store)).findings, []);
}

/** Changes one byte of a file in place. */
async function flip(path: string, at = 100): Promise<void> {
  await using file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 0xff]), 0, 1, at);
}

const blobOf = (store: TestStore, digest = '') => join(store.root, 'content/blobs/sha256', digest.slice(7));

type Damage = {
  readonly what: RegExp;
  readonly problem: RegExp;
  readonly harm: (store: TestStore) => Promise<void>;
};

/** What may befall what every kind of store has. */
const damages: Readonly<Record<string, Damage>> = {
  'a byte of a blob that changed': {
    what: /^a blob of layer/,
    problem: /not those that its digest says/,
    harm: (store) => flip(blobOf(store, layers[0]?.digest)),
  },
  'a blob that was cut off': {
    what: /^a blob of layer/,
    problem: /not those/,
    harm: (store) => truncate(blobOf(store, layers[0]?.digest), 50),
  },
  'a blob that is gone': {
    what: /^a blob of layer/,
    problem: /not there/,
    harm: (store) => rm(blobOf(store, layers[1]?.digest)),
  },
  'a manifest that is damaged': {
    what: /^the manifest of/,
    problem: /not those/,
    harm: (store) => flip(blobOf(store, image.manifest.digest)),
  },
  'a config that is gone': {
    what: /^the config of/,
    problem: /not there/,
    harm: (store) => rm(blobOf(store, image.config.digest)),
  },
  'a layer that is gone': {
    what: /^layer \w+ of/,
    problem: /it is not there/,
    harm: (store) => rm(join(store.root, 'layers/1'), { recursive: true }),
  },
  'a file that nothing names': {
    what: /^sha256:/,
    problem: /nothing names it/,
    harm: (store) => writeFile(blobOf(store, `sha256:${'e'.repeat(64)}`), 'stray'),
  },
  'a layer that nothing names': {
    what: /^layer number 77/,
    problem: /nothing names it/,
    harm: async (store) => void (await mkdir(join(store.root, 'layers/77/fs'), { recursive: true })),
  },
};

const ofArchives: Readonly<Record<string, Damage>> = {
  'a byte of a layer that changed': {
    what: /^layer \w+ of/,
    problem: /its archive is damaged/,
    harm: (store) => flip(join(store.root, 'layers/1/archive.tar'), 700),
  },
  'a layer whose archive was cut off': {
    what: /^layer \w+ of/,
    problem: /its archive has 1024 bytes of/,
    harm: (store) => truncate(join(store.root, 'layers/1/archive.tar'), 1024),
  },
  'a byte of an index that changed': {
    what: /^layer \w+ of/,
    problem: /its index is not the one that its archive makes/,
    harm: (store) => flip(join(store.root, 'layers/1/index.erofs'), 2_100),
  },
  'an index that is gone': {
    what: /^layer \w+ of/,
    problem: /its index is not there/,
    harm: (store) => rm(join(store.root, 'layers/1/index.erofs')),
  },
};

const ofDirectories: Readonly<Record<string, Damage>> = {
  'a byte of a file that changed': {
    what: /^layer \w+ of/,
    problem: /has another time|has other bytes/,
    harm: async (store) => {
      const found = ['layers/1/fs/big', 'layers/2/fs/big'].map((path) => join(store.root, path));
      await flip(found.find((path) => existsSync(path)) ?? '');
    },
  },
  'a file that came': {
    what: /^layer \w+ of/,
    problem: /^added does not belong there/,
    harm: (store) => writeFile(join(store.root, 'layers/1/fs/added'), ''),
  },
};

for (const [layerKind, cases] of [
  ['erofs', { ...damages, ...ofArchives }],
  ['directories', { ...damages, ...ofDirectories }],
] as const) {
  describe(`layers as ${layerKind}`, () => {
    for (const [title, { what, problem, harm }] of Object.entries(cases)) {
      test(`${title} is found and repaired`, async () => {
        await using store = await testStore({ layerKind, settledMs: 0 });
        await store.pull(name);
        await sound(store);
        await harm(store);
        const { findings, summary } = await run(store);
        assert.equal(findings.length, 1, JSON.stringify(findings));
        const [found] = findings;
        assert.match(found?.what ?? '', what);
        assert.match(found?.problem ?? '', problem);
        assert.ok(found?.where.startsWith(store.root));
        assert.deepEqual([found?.outcome, summary.found, summary.repaired], ['found', 1, 0]);
        const mended = await run(store, true);
        assert.deepEqual(
          mended.findings.map(({ outcome }) => outcome),
          ['repaired'],
          JSON.stringify(mended),
        );
        await sound(store);
        // What was repaired is what was pulled.
        assert.equal((await store.images.lowerDirs(store.images.resolve(name))).length, 2);
        assert.equal(
          await readFile(blobOf(store, image.config.digest), 'utf8'),
          image.config.bytes.toString(),
        );
      });
    }
  });
}

test('a layer that a running container uses is not touched', async () => {
  await using store = await testStore({ layerKind: 'directories', settledMs: 0 });
  await store.pull(name);
  store.users.set(image.config.digest, [{ containerId: 'c'.repeat(64), running: true }]);
  await rm(join(store.root, 'layers/1'), { recursive: true });
  const [left] = (await run(store, true)).findings;
  assert.deepEqual([left?.outcome, left?.why], ['left', 'container cccccccccccc runs on it: stop it first']);
});

test('what no registry has is left, and said', async () => {
  await using store = await testStore({ settledMs: 0 });
  const gone = await startRegistry();
  await pushImage({ registry: gone, name: 'team/app', layers });
  await store.pull(`${gone.host}/team/app`);
  await gone[Symbol.asyncDispose]();
  await flip(blobOf(store, image.config.digest));
  await rm(blobOf(store, layers[0]?.digest));
  const { findings, summary } = await run(store, true);
  const outcomes = findings.map(({ what, outcome, why }) => [
    what.split(' of ')[0],
    outcome,
    why !== undefined,
  ]);
  assert.deepEqual(outcomes, [
    ['the config', 'left', true],
    ['a blob', 'repaired', false],
  ]);
  assert.deepEqual([summary.found, summary.repaired], [2, 1]);
});

test('what was pushed to the registry and is damaged can be pushed again', async () => {
  await using store = await testStore({ settledMs: 0 });
  await using served = await listen(
    { Port: 0 },
    { hosted: store.images.hosted, onAccess: () => undefined, warn: (message) => console.error(message) },
  );
  const client = registryClient(served.url);
  const push = async () => {
    const config = await client.pushBlob('team/x', Buffer.from('{"a":1}'), 'application/vnd.example+json');
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config,
      layers: [],
    };
    await client.pushManifest('team/x', manifest, { tag: 'v1' });
    return config;
  };
  const { digest } = await push();
  await sound(store);
  await flip(blobOf(store, digest), 3);
  const [found] = (await run(store)).findings;
  assert.match(found?.what ?? '', /that was pushed to docker.io\/team\/x/);
  await run(store, true);
  await sound(store);
  assert.equal((await client.ask('HEAD', `/v2/team/x/blobs/${digest}`)).status, 404);
  await push();
  assert.equal((await client.ask('HEAD', `/v2/team/x/blobs/${digest}`)).status, 200);
});

test('a row that names what is not there is found', async () => {
  await using store = await testStore({ settledMs: 0 });
  const other = imageOf({ layers });
  await store.pull(name);
  // Moved aside and back: the check looks, and changes nothing of its own.
  const path = blobOf(store, other.config.digest);
  await rename(path, `${path}.aside`);
  assert.equal((await run(store)).findings.length, 2);
  await rename(`${path}.aside`, path);
  await sound(store);
});

test('a check that cannot go on says why in its last line', async () => {
  const broken = async () => {
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  };
  const { systemCheck } = systemHandlers({
    images: { checks: async () => [broken] },
    volumes: { checks: () => [] },
    containers: { checks: async () => [] },
  } as unknown as Parameters<typeof systemHandlers>[0]);
  const { signal } = new AbortController();
  const reply = await systemCheck({ query: {}, signal } as unknown as Parameters<typeof systemCheck>[0]);
  assert.ok(reply.kind === 'stream');
  let thrown: unknown;
  await Array.fromAsync(reply.chunks).catch((error: unknown) => {
    thrown = error;
  });
  assert.match(reply.failure?.(thrown) ?? '', /"error":"ENOSPC: no space left/);
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { testStore } from '../../workshop/testing/image-store.ts';
import { imageOf, layerOf, type TestImage } from '../../workshop/testing/images.ts';
import { type Lie, startLyingRegistry } from '../../workshop/testing/lying-registry.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import type { BerthError } from '../api/errors.ts';
import { defaultRegistryLimits, type RegistryLimits } from '../registry/settings.ts';

/** Incompressible, so that a blob is as long as it looks. */
const image: TestImage = imageOf({
  layers: [
    layerOf([{ name: 'big', content: randomBytes(300_000) }]),
    layerOf([{ name: 'small', content: 'x' }]),
  ],
});
const [big] = image.layers;
const bigDigest = big?.digest ?? '';
const limits: RegistryLimits = { ...defaultRegistryLimits, retries: 2, backoffMs: 1 };
/** For registries that say nothing: they are asked once. */
const impatient: RegistryLimits = { ...limits, answerTimeoutMs: 500, stallTimeoutMs: 500, retries: 0 };

type Expected = { readonly code: string; readonly message: RegExp; readonly hint?: RegExp };

/** Pulls from a registry that lies; checks the error, and that nothing is left. */
async function refuses(
  lie: Parameters<typeof startLyingRegistry>[1],
  expected: Expected,
  { served = [{ name: 'team/app', image }], registryLimits = limits } = {},
): Promise<void> {
  await using registry = await startLyingRegistry(served, lie);
  await using store = await testStore({ registryLimits });
  await assert.rejects(store.pull(`${registry.host}/team/app`), (error: BerthError) => {
    assert.equal(error.code, expected.code, error.message);
    assert.match(error.message, expected.message);
    if (expected.hint !== undefined) assert.match(error.hint ?? '', expected.hint);
    return true;
  });
  assert.deepEqual(store.leftovers(), []);
  assert.deepEqual(store.events, []);
}

const onBlob = (lie: Lie) => (asked: { readonly target: string }) =>
  asked.target === bigDigest ? lie : undefined;
const onManifest = (lie: Lie) => (asked: { readonly kind: string }) =>
  asked.kind === 'manifest' ? lie : undefined;

test('a layer with other bytes than its digest says is refused', () =>
  refuses(onBlob({ do: 'corrupt' }), {
    code: 'invalid',
    message:
      /layer .* of 127\.0\.0\.1:\d+\/team\/app:latest is not what its digest says: sha256:\w+ was promised, sha256:\w+ came/,
  }));

test('a config with other bytes than its digest says is refused', () =>
  refuses((asked) => (asked.target === image.config.digest ? { do: 'corrupt' } : undefined), {
    code: 'invalid',
    message: /the config of .* is not what its digest says/,
  }));

test('a manifest with another digest than the registry says is refused', () =>
  refuses(
    onManifest({
      do: 'serve',
      bytes: image.manifest.bytes,
      headers: {
        'content-type': image.manifest.mediaType,
        'docker-content-digest': `sha256:${'0'.repeat(64)}`,
      },
    }),
    { code: 'invalid', message: /the manifest of .* is not what its digest says/ },
  ));

test('a layer that unpacks to another diffID than its config says is refused', async () => {
  const other = layerOf([{ name: 'other' }]);
  const honest = layerOf([{ name: 'honest' }]);
  const lying = imageOf({ layers: [{ ...honest, diffId: other.diffId }] });
  await refuses(
    undefined,
    { code: 'invalid', message: /the layer is not the one its image names/ },
    {
      served: [{ name: 'team/app', image: lying }],
    },
  );
});

test('a layer of another size than its manifest says is refused', () =>
  refuses(onBlob({ do: 'serve', bytes: Buffer.alloc(10) }), {
    code: 'invalid',
    message: /has 10 bytes where its manifest says \d+/,
  }));

test('a connection that is always cut is given up after a few tries', () =>
  refuses(onBlob({ do: 'cut', afterBytes: 0 }), {
    code: 'unavailable',
    message: /the registry at http:\/\/127\.0\.0\.1:\d+ failed: the connection was cut/,
    hint: /try again/,
  }));

test('a connection that is cut once is resumed where it broke', async () => {
  await using registry = await startLyingRegistry([{ name: 'app', image }], (asked) =>
    asked.target === bigDigest && asked.earlier === 0 ? { do: 'cut', afterBytes: 100_000 } : undefined,
  );
  await using store = await testStore({ registryLimits: limits });
  await store.pull(`${registry.host}/app`);
  const ranges = registry.requests
    .filter((asked) => asked.target === bigDigest)
    .map((asked) => asked.headers.range);
  // How much of what was sent comes through before the cut is the kernel's affair.
  const from = Number(/^bytes=(\d+)-$/.exec(ranges[1] ?? '')?.[1]);
  assert.ok(ranges.length === 2 && from > 0 && from <= 100_000, String(ranges));
  assert.equal(store.images.count(), 1);
});

test('a registry that ignores ranges is read from the start, and what came already is skipped', async () => {
  await using registry = await startLyingRegistry([{ name: 'app', image }], (asked) => {
    if (asked.target !== bigDigest) return undefined;
    return asked.earlier === 0 ? { do: 'cut', afterBytes: 100_000 } : { do: 'ignoreRange' };
  });
  await using store = await testStore({ registryLimits: limits });
  await store.pull(`${registry.host}/app`);
  assert.equal(store.images.count(), 1);
});

test('what is resumed is verified as a whole', () =>
  refuses(
    (asked) => {
      if (asked.target !== bigDigest) return undefined;
      return asked.earlier === 0 ? { do: 'cut', afterBytes: 100_000 } : { do: 'corrupt' };
    },
    { code: 'invalid', message: /is not what its digest says/ },
  ));

test('an HTML page is called one', () =>
  refuses(onManifest({ do: 'html' }), {
    code: 'invalid',
    message: /an HTML page/,
    hint: /proxy or a login page/,
  }));

test('a transfer that stalls is given up', () =>
  refuses(
    onBlob({ do: 'stall', afterBytes: 1000 }),
    { code: 'unavailable', message: /the registry at http:\S+ failed: no data came for 0\.5 s/ },
    { registryLimits: impatient },
  ));

test('a registry that takes requests and never answers is given up', () =>
  refuses(
    onManifest({ do: 'silence' }),
    { code: 'unavailable', message: /failed: it did not answer within 0\.5 s/ },
    { registryLimits: impatient },
  ));

test('errors of the server are told with their status', () =>
  refuses(onManifest({ do: 'status', status: 500 }), {
    code: 'unavailable',
    message: /answered 500 for .*team\/app:latest/,
    hint: /later/,
  }));

test('too many requests, once, are waited out', async () => {
  await using registry = await startLyingRegistry([{ name: 'app', image }], (asked) =>
    asked.kind !== 'other' && asked.earlier === 0
      ? { do: 'status', status: 429, headers: { 'retry-after': '0' } }
      : undefined,
  );
  await using store = await testStore({ registryLimits: limits });
  await store.pull(`${registry.host}/app`);
  assert.equal(store.images.count(), 1);
});

test('too many requests, always, say what to do', () =>
  refuses(onManifest({ do: 'status', status: 429 }), {
    code: 'unavailable',
    message: /too many requests/,
    hint: /log in/,
  }));

test('an answer without an end is cut off', () =>
  refuses(onManifest({ do: 'serve', bytes: Buffer.alloc(5 * 1024 * 1024, 0x20) }), {
    code: 'invalid',
    message: /longer than 4194304 bytes/,
  }));

test('a manifest that breaks off is no manifest', () =>
  refuses(onManifest({ do: 'serve', bytes: image.manifest.bytes.subarray(0, 50) }), {
    code: 'invalid',
    message: /no JSON object/,
  }));

test("docker's schema 1 is refused by name", () => {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 1, name: 'team/app', fsLayers: [] }));
  return refuses(onManifest({ do: 'serve', bytes }), { code: 'unsupported', message: /schema 1/ });
});

test('a layer that is not in the registry is refused before anything is fetched', async () => {
  const foreign = {
    ...layerOf([{ name: 'x' }]),
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  };
  await refuses(
    undefined,
    { code: 'unsupported', message: /layer 1 of .* is not in the registry/ },
    {
      served: [{ name: 'team/app', image: imageOf({ layers: [foreign] }) }],
    },
  );
});

test('an artifact that is no image is refused', async () => {
  const strange = {
    ...image,
    config: { ...image.config, mediaType: 'application/vnd.cncf.helm.config.v1+json' },
  };
  const manifest = JSON.parse(image.manifest.bytes.toString()) as { config: { mediaType: string } };
  manifest.config.mediaType = strange.config.mediaType;
  const bytes = Buffer.from(JSON.stringify(manifest));
  await refuses(onManifest({ do: 'serve', bytes }), {
    code: 'unsupported',
    message: /is not a container image/,
  });
});

test('an unknown tag is not found, with what to check', () =>
  refuses(
    undefined,
    { code: 'notFound', message: /no image .*team\/app:latest: manifest unknown/, hint: /name and tag/ },
    { served: [] },
  ));

test('words of a registry reach the terminal without control characters', () =>
  refuses(
    onManifest({
      do: 'status',
      status: 404,
      body: JSON.stringify({ errors: [{ code: 'X', message: 'gone \u001b[2J away' }] }),
    }),
    { code: 'notFound', message: /gone {1,2}\[2j away$/ },
  ));

test('a registry that is down is named with its address', async () => {
  const registry = await startRegistry();
  await registry[Symbol.asyncDispose]();
  await using store = await testStore({ registryLimits: limits });
  await assert.rejects(store.pull(`${registry.host}/app`), {
    code: 'unavailable',
    message: `cannot reach the registry at http://${registry.host}: nothing listens there`,
  });
  assert.deepEqual(store.leftovers(), []);
});

test('a registry whose name nobody knows is told so', async () => {
  await using store = await testStore({ registryLimits: { ...defaultRegistryLimits, retries: 0 } });
  await assert.rejects(store.pull('registry.invalid/app'), {
    code: 'unavailable',
    message:
      /cannot reach the registry at https:\/\/registry\.invalid: (no such host|the name could not be looked up)/,
  });
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startEngine } from '../../workshop/testing/engine.ts';
import { imageOf, layerOf } from '../../workshop/testing/images.ts';
import { tarOf } from '../../workshop/testing/tar.ts';

test('an engine that is killed at any step of a load starts again with the image, or without a trace of it', async () => {
  const image = imageOf({
    layers: [1, 2].map((name) =>
      layerOf([{ name: `file-${name}`, content: randomBytes(12 * 2 ** 20) }], { compression: 'none' }),
    ),
  });
  const archive = tarOf([
    { name: 'config.json', content: image.config.bytes },
    ...image.layers.map(({ blob }, index) => ({ name: `${index}.tar`, content: blob })),
    {
      name: 'manifest.json',
      content: JSON.stringify([
        { Config: 'config.json', RepoTags: ['killed:1'], Layers: ['0.tar', '1.tar'] },
      ]),
    },
  ]);
  await using engine = await startEngine({ busybox: false });
  const { client } = engine;
  const names = (path: string) => readdirSync(join(engine.root, path));
  const isWhole = (name: string) => /^\d+$/.test(name);
  const stored = () => ({
    blobs: names('content/blobs/sha256').length,
    begun: names('content/ingest').length + names('layers').filter((name) => !isWhole(name)).length,
    layers: names('layers').filter(isWhole).length,
  });
  async function* pieces() {
    for (let at = 0; at < archive.length; at += 2 ** 18) yield archive.subarray(at, at + 2 ** 18);
  }
  const load = async () => {
    for await (const _ of client.lines('imagesLoad', {}, { body: pieces() }));
  };

  const steps: Readonly<Record<string, () => boolean>> = {
    'the archive is taken apart': () => stored().begun > 1,
    'a layer is being kept': () => names('layers').some((name) => name.startsWith('new-')),
    'all layers are there': () => stored().layers > 1,
  };
  for (const [step, reached] of Object.entries(steps)) {
    const loading = load().catch(() => undefined);
    while (!reached()) await new Promise((resolve) => setImmediate(resolve));
    await engine.kill();
    await loading;
    await engine.start();
    const images = await client.call('imageList', {});
    // Of the image its config; layers that are not compressed are kept by the layer store alone.
    const whole = images.length > 0 ? { blobs: 1, begun: 0, layers: 2 } : { blobs: 0, begun: 0, layers: 0 };
    assert.deepEqual(stored(), whole, step);
    for (const { Id } of images) await client.call('imageRemove', { name: Id, force: true });
  }
  await load();
  assert.deepEqual(
    (await client.call('imageList', {})).map(({ RepoTags }) => RepoTags),
    [['killed:1']],
  );
});

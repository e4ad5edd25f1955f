import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startEngine } from '../../workshop/testing/engine.ts';
import { imageOf, layerOf, push } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';

const MB = 1_000_000;
const DISK_BYTES = 32 * MB;

/** An image whose layers hold so many bytes each, which nothing makes smaller. */
const imageOfSizes = (...sizes: readonly number[]) =>
  imageOf({ layers: sizes.map((size) => layerOf([{ name: 'f', content: randomBytes(size) }])) });

test('a pull that fills the disk says so, gives all the space back, and the engine goes on', async () => {
  await using registry = await startRegistry();
  await push({ registry, name: 'small', tag: 'latest', image: imageOfSizes(2 * MB) });
  await push({ registry, name: 'large', tag: 'latest', image: imageOfSizes(1 * MB, 20 * MB, 8 * MB) });
  await using engine = await startEngine({ busybox: false, rootBytes: DISK_BYTES });
  const pull = async (name: string) => {
    const fromImage = `${registry.host}/${name}`;
    for await (const _line of engine.client.lines('imagePull', { fromImage, tag: 'latest' }));
  };
  const stored = () =>
    ['layers', 'content/ingest', 'content/blobs/sha256'].map(
      (name) => readdirSync(join(engine.root, name)).length,
    );
  const free = () => statfsSync(engine.root).bfree;

  const [nothing, all] = [stored(), free()];
  for (let time = 0; time < 2; time += 1) {
    await assert.rejects(pull('large'), { message: /^no space left on the disk while pulling/ });
    assert.deepEqual(stored(), nothing);
    // The database's own files have grown a little.
    assert.ok(all - free() < 200, `${all - free()} blocks are gone`);
  }
  await pull('small');
  assert.deepEqual(stored(), [1, 0, 3]);
  const [image] = await engine.client.call('imageList', {});
  await engine.client.call('imageRemove', { name: image?.Id ?? '' });
  assert.deepEqual(stored(), nothing);
});

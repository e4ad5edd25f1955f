import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from '../../../workshop/testing/api/wire.ts';
import { testStore } from '../../../workshop/testing/image-store.ts';
import { imageOf, layerOf } from '../../../workshop/testing/images.ts';
import { startLyingRegistry } from '../../../workshop/testing/lying-registry.ts';
import { peerMissing, startDockerd, startPodman } from '../../../workshop/testing/peers.ts';

/** What we save others load, and the other way round: the same images, by their ids. */

const base = layerOf([
  { name: 'etc', type: 'directory' },
  { name: 'etc/base', content: 'base' },
]);
const images = {
  one: imageOf({ layers: [base, layerOf([{ name: 'etc/.wh.base' }])], config: { Cmd: ['one'] } }),
  two: imageOf({
    layers: [base, layerOf([{ name: 'two', content: '2'.repeat(50_000) }], { compression: 'zstd' })],
    config: { Cmd: ['two'] },
  }),
};

async function* inOne(bytes: Buffer) {
  yield bytes;
}

for (const [name, start] of [
  ['dockerd', startDockerd],
  ['podman', startPodman],
] as const) {
  const skip = (await peerMissing(name)) ?? false;
  test(`${name} loads what is saved here, and what it saves is loaded here`, { skip }, async () => {
    await using registry = await startLyingRegistry(
      Object.entries(images).map(([key, image]) => ({ name: `library/${key}`, image })),
    );
    await using store = await testStore({ settings: { mirrors: [registry.url], insecureRegistries: [] } });
    for (const key of Object.keys(images)) await store.pull(key);
    const pieces: Uint8Array[] = [];
    for await (const piece of await store.images.save({ names: ['one', 'two'] })) pieces.push(piece);
    await using peer = await start();
    assert.ok(peer !== undefined);
    const loaded = await ask(peer, 'POST /v1.40/images/load?quiet=1', { body: Buffer.concat(pieces) });
    assert.equal(loaded.status, 200, loaded.text);
    assert.doesNotMatch(loaded.text, /"error"/);
    for (const [key, image] of Object.entries(images)) {
      const { Id, RootFS } = (await ask(peer, `GET /v1.40/images/${key}:latest/json`)).json();
      assert.equal(Id, image.config.digest);
      assert.deepEqual(
        RootFS.Layers,
        image.layers.map(({ diffId }) => diffId),
      );
    }
    const saved = await ask(peer, 'GET /v1.40/images/get?names=one:latest&names=two:latest');
    assert.equal(saved.status, 200);
    await using other = await testStore();
    await other.images.load({
      archive: inOne(saved.bytes),
      signal: new AbortController().signal,
      onProgress: () => {},
    });
    for (const [key, image] of Object.entries(images))
      assert.ok(
        other.images.list({}).some(({ Id }) => Id === image.config.digest),
        `${key} of ${name}`,
      );
  });
}

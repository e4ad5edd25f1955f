import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startMortalEngine } from '../../workshop/testing/crash.ts';
import { imageOf, layerOf, push } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';

/** See engine/daemon/steps.test.ts: an engine that is killed right before each of its steps, in turn. */
test('killed at any step of a pull, the engine has the whole image or nothing of it', async (t) => {
  await using registry = await startRegistry();
  const image = imageOf({ layers: [layerOf([{ name: 'f', content: 'one layer' }])] });
  await push({ registry, name: 'app', tag: 'latest', image });
  await using mortal = await startMortalEngine({ busybox: false });
  const { engine, dieAt } = mortal;
  const { client } = engine;
  const name = `${registry.host}/app:latest`;
  const pull = async () => {
    for await (const _line of client.lines('imagePull', { fromImage: name }));
  };
  const stored = () =>
    ['layers', 'content/ingest', 'content/blobs/sha256'].map(
      (folder) => readdirSync(join(engine.root, folder)).length,
    );
  const images = async () => (await client.call('imageList', {})).flatMap(({ RepoTags }) => RepoTags ?? []);
  const remove = async () => {
    await client.call('imageRemove', { name });
    assert.deepEqual(stored(), [0, 0, 0]);
  };

  await dieAt(0);
  await pull();
  const steps = await dieAt(0);
  assert.ok(steps.length > 5, `only ${steps.length} steps were seen`);
  const whole = stored();
  await remove();
  for (const [index, step] of steps.entries()) {
    const where = `before step ${index + 1} of ${steps.length}, ${step}`;
    await dieAt(index + 1);
    await pull().catch(() => undefined);
    await engine.kill();
    await engine.start();
    const there = await images();
    assert.deepEqual(stored(), there.length === 0 ? [0, 0, 0] : whole, where);
    if (there.length > 0) await remove();
  }
  await pull();
  assert.deepEqual([await images(), stored()], [[name], whole]);
  t.diagnostic(`${steps.length} steps`);
});

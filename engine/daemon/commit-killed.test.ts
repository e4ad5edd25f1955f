import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startEngine, type TestEngine } from '../../workshop/testing/engine.ts';

/** Blobs, layers and what is only begun, as they lie on the disk. */
function stored(engine: TestEngine) {
  const names = (path: string) => readdirSync(join(engine.root, path));
  return {
    blobs: names('content/blobs/sha256').length,
    begun: names('content/ingest').length + names('layers').filter((name) => !/^\d+$/.test(name)).length,
    layers: names('layers').filter((name) => /^\d+$/.test(name)).length,
  };
}

/** Of each image its config: the archive of its layer is the layer's own. */
const BLOBS = 1;

test('an engine that is killed at any step of a commit starts again with the image, or without a trace of it', async () => {
  await using engine = await startEngine();
  const { client } = engine;
  const script = 'dd if=/dev/urandom of=/big bs=1M count=24 2>/dev/null; echo x >/ready; sleep 1000';
  const { Id: id } = await client.call(
    'containerCreate',
    {},
    { body: { Image: 'busybox', Cmd: ['sh', '-c', script] } },
  );
  await client.act('containerStart', { id });
  while ((await client.call('containerChanges', { id }))?.some(({ Path }) => Path === '/ready') !== true);
  const before = stored(engine);
  const steps: Readonly<Record<string, () => boolean>> = {
    'its processes stand still': () => existsSync(join(engine.runDir, 'containers', id, 'committing')),
    'the layer is being packed': () => readdirSync(join(engine.root, 'content/ingest')).length > 0,
    'the layer is being kept': () =>
      readdirSync(join(engine.root, 'layers')).some((name) => name.startsWith('new-')),
    'the layer is there': () => stored(engine).layers > before.layers,
  };
  for (const [step, reached] of Object.entries(steps)) {
    const committing = client
      .call('containerCommit', { container: id, repo: 'killed' })
      .catch(() => undefined);
    while (!reached()) await new Promise((resolve) => setImmediate(resolve));
    await engine.kill();
    await committing;
    await engine.start();
    const images = await client.call('imageList', {});
    const made = images.filter(({ RepoTags }) => RepoTags?.includes('killed:latest'));
    const now = stored(engine);
    assert.deepEqual(
      now,
      { blobs: before.blobs + BLOBS * made.length, begun: 0, layers: before.layers + made.length },
      step,
    );
    assert.equal((await client.call('containerInspect', { id })).State.Status, 'running', step);
    for (const { Id } of made) await client.call('imageRemove', { name: Id, force: true });
  }
  await client.call('containerCommit', { container: id, repo: 'killed' });
  assert.deepEqual(stored(engine), { blobs: before.blobs + BLOBS, begun: 0, layers: before.layers + 1 });
  const [image] = (await client.call('imageList', {})).filter(({ RepoTags }) =>
    RepoTags?.includes('killed:latest'),
  );
  assert.ok(image !== undefined && image.Size > 24 * 2 ** 20);
});

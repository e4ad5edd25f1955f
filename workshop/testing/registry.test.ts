import assert from 'node:assert/strict';
import { request } from 'node:https';
import test from 'node:test';
import { busyboxImage, pushImage } from './images.ts';
import { startRegistry } from './registry.ts';

test('a plain registry serves what was pushed to it', async () => {
  await using registry = await startRegistry();
  const image = await pushImage({ registry, name: 'library/busybox', ...(await busyboxImage()) });
  const answer = await fetch(`${registry.url}/v2/library/busybox/manifests/latest`, {
    headers: { accept: image.manifest.mediaType },
  });
  assert.equal(answer.headers.get('docker-content-digest'), image.manifest.digest);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), image.manifest.bytes);
});

test('a registry with passwords refuses whoever has none', async () => {
  await using registry = await startRegistry({ mode: 'htpasswd' });
  await pushImage({ registry, name: 'a', layers: [] });
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 401);
});

test('a TLS registry proves itself with its certificate', async () => {
  await using registry = await startRegistry({ mode: 'tls' });
  await pushImage({ registry, name: 'a', layers: [] });
  const status = (ca?: string) =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${registry.url}/v2/`, { ca }, (answer) =>
        resolve(answer.resume().statusCode),
      );
      outgoing.once('error', reject).end();
    });
  assert.equal(await status(registry.ca), 200);
  await assert.rejects(status(), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
});

test('a stopped registry refuses connections', async () => {
  await using registry = await startRegistry();
  await registry.stop();
  await assert.rejects(fetch(registry.url));
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { execa } from 'execa';
import { testStore } from '../../workshop/testing/image-store.ts';
import { imageOf, indexOf, layerOf, push, pushManifest } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { passwordLine } from '../api/passwords.ts';
import { listen } from './listener.ts';

/** skopeo, the registry client that podman and CRI-O are made of, on the engine's registry. */

const found = await execa('skopeo', ['--version'], { reject: false });

test('skopeo copies images in and out, whole indexes too, lists and deletes', {
  skip: found.failed,
}, async () => {
  await using root = await tempRoot('skopeo');
  await using from = await startRegistry();
  await using store = await testStore();
  const { hosted } = store.images;
  await using ours = await listen(
    { Port: 0, Passwords: await passwordLine('ada', 'sesame') },
    { hosted, onAccess: () => undefined, warn: (message) => console.error(message) },
  );
  const host = new URL(ours.url).host;
  const images = ['amd64', 'arm64', 's390x'].map((architecture) => ({
    image: imageOf({
      layers: [layerOf([{ name: 'for', content: architecture }])],
      platform: { architecture },
    }),
    platform: { os: 'linux', architecture },
  }));
  for (const { image } of images) await push({ registry: from, name: 'team/app', image });
  const index = indexOf(images, 'docker');
  await pushManifest({ registry: from, name: 'team/app', tag: 'v1', manifest: index });

  const policy = ['--insecure-policy'];
  const skopeo = async (verb: string, ...args: readonly string[]) =>
    await execa('skopeo', [...policy, verb, ...args], {
      env: { HOME: root.path, XDG_RUNTIME_DIR: root.path },
    });
  const into = ['--src-tls-verify=false', '--dest-tls-verify=false', '--dest-creds=ada:sesame'];
  const outOf = ['--src-tls-verify=false', '--src-creds=ada:sesame'];
  const there = ['--tls-verify=false', '--creds=ada:sesame'];
  const copied = `docker://${host}/team/app`;

  await assert.rejects(
    skopeo(
      'copy',
      '--src-tls-verify=false',
      '--dest-tls-verify=false',
      `docker://${from.host}/team/app:v1`,
      `${copied}:v1`,
    ),
    /unauthorized|authentication required/,
  );
  await skopeo('copy', '--all', ...into, `docker://${from.host}/team/app:v1`, `${copied}:v1`);
  const raw = await skopeo('inspect', '--raw', ...there, `${copied}:v1`);
  assert.equal(raw.stdout, index.bytes.toString());
  // The one for this machine is an image of the engine.
  const { Id } = store.images.inspect('team/app:v1');
  assert.ok(images.some(({ image }) => image.config.digest === Id));

  await skopeo('copy', '--format=oci', ...into, `docker://${from.host}/team/app:v1`, `${copied}:oci`);
  assert.equal(store.images.inspect('team/app:oci').Id.length, 71);
  const { Tags } = JSON.parse((await skopeo('list-tags', ...there, copied)).stdout);
  assert.deepEqual(Tags, ['oci', 'v1']);
  await skopeo('copy', '--all', ...outOf, `${copied}:v1`, `dir:${root.join('out')}`);
  await skopeo('copy', ...outOf, `${copied}:oci`, `oci:${root.join('layout')}:x`);

  await skopeo('delete', ...there, `${copied}:v1`);
  const left = JSON.parse((await skopeo('list-tags', ...there, copied)).stdout);
  assert.deepEqual(left.Tags, ['oci']);
  assert.throws(() => store.images.inspect('team/app:v1'), /No such image/);
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { imageOf, layerOf } from '../../workshop/testing/images.ts';
import { startLyingRegistry } from '../../workshop/testing/lying-registry.ts';
import { type Behaviours, print } from './given.ts';

/** What registries are asked beside pulls and pushes. */
export const registries: Behaviours = {
  'search lists what a registry found, the best known first': async (given) => {
    const results = [
      { name: 'team/few', description: 'Few know\nit', star_count: 2 },
      { name: 'many', description: 'm'.repeat(60), star_count: 900, is_official: true },
    ];
    await using registry = await startLyingRegistry([], ({ path }) =>
      path.startsWith('/v1/') ? { do: 'serve', bytes: Buffer.from(JSON.stringify({ results })) } : undefined,
    );
    await given.reachPort(Number(registry.host.split(':')[1]));
    const term = `${registry.host}/app`;
    const lines = (await print(given, 'search', term)).split('\n');
    assert.match(lines[0] ?? '', /^NAME +DESCRIPTION +STARS +OFFICIAL$/);
    assert.match(lines[1] ?? '', /^many +m{44}… +900 +\[OK\]$/);
    assert.match(lines[2] ?? '', /^team\/few +Few know it +2 *$/);
    const named = await print(given, 'search', '-f', 'stars=3', '--format', '{{.Name}}', term);
    assert.equal(named, 'many\n');
    await using none = await startLyingRegistry([]);
    await given.reachPort(Number(none.host.split(':')[1]));
    const refused = await given.berth.run(['search', `${none.host}/app`], { host: given.host });
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
  },
  'manifest inspect shows what a registry has, and pulls nothing': async (given) => {
    if (given.engine !== 'berth') return; // The manifest itself is our own API's.
    const image = imageOf({ layers: [layerOf([{ name: 'a' }])] });
    await using registry = await startLyingRegistry([{ name: 'team/app', image }]);
    const name = `${registry.host}/team/app`;
    const raw = await print(given, 'manifest', 'inspect', '--raw', name);
    assert.equal(`sha256:${createHash('sha256').update(raw).digest('hex')}`, image.manifest.digest);
    const shown = JSON.parse(await print(given, 'manifest', 'inspect', name));
    assert.deepEqual(shown, JSON.parse(image.manifest.bytes.toString()));
    const { Ref, Descriptor, Manifest } = JSON.parse(await print(given, 'manifest', 'inspect', '-v', name));
    assert.deepEqual([Ref, Descriptor.digest, Manifest], [`${name}:latest`, image.manifest.digest, shown]);
    assert.equal(await print(given, 'images', '-q', name), '');
  },
  'run --platform pulls the image for it where there is another, and refuses where there is none': async (
    given,
  ) => {
    if (given.engine !== 'berth') return;
    const foreign = imageOf({
      layers: [layerOf([{ name: 'a' }])],
      platform: { architecture: 's390x' },
      config: { Cmd: ['x'] },
    });
    await using registry = await startLyingRegistry([{ name: 'team/foreign', image: foreign }]);
    const name = `${registry.host}/team/foreign`;
    const { berth, host } = given;
    const created = await berth.run(['create', '--platform', 'linux/s390x', name], { host });
    assert.equal(created.code, 0, created.stderr);
    await print(given, 'rm', created.stdout.trim());
    const wrong = await berth.run(['run', '--platform', 'linux/arm64', name], { host });
    assert.deepEqual([wrong.code, wrong.stdout], [125, '']);
    assert.match(wrong.stderr, /has no image for linux\/arm64[\s\S]*it has linux\/s390x/);
    // What the engine has is shown, sent on and removed for its own platform alone.
    for (const command of [['push'], ['history'], ['image', 'inspect'], ['rmi']]) {
      const other = await berth.run([...command, '--platform', 'linux/arm64', name], { host });
      assert.deepEqual([other.code, other.stdout.replace('[]\n', '')], [1, ''], other.stderr);
      assert.match(other.stderr, /has no image for linux\/arm64[\s\S]*it has linux\/s390x/);
    }
    const own = ['--platform', 'linux/s390x', name];
    assert.equal(JSON.parse(await print(given, 'image', 'inspect', ...own))[0].Architecture, 's390x');
    assert.match(await print(given, 'history', ...own), /^IMAGE/);
    assert.match(await print(given, 'rmi', ...own), /^Untagged/);
  },
};

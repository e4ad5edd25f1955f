import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { imageOf, layerOf, type TestImage } from '../images.ts';
import { tarOf } from '../tar.ts';
import { untar } from '../untar.ts';
import type { Case } from './case.ts';
import { ask, differs, type Loose, type Subject } from './wire.ts';

/** An archive as `docker save` wrote it before 25. */
function archiveOf(image: TestImage, tags: readonly string[] | null): Buffer {
  const config = `${image.config.digest.slice(7)}.json`;
  const [layer] = image.layers;
  const tar = layer?.blob ?? Buffer.alloc(0);
  return tarOf([
    { name: config, content: image.config.bytes },
    { name: 'layer/layer.tar', content: tar },
    {
      name: 'manifest.json',
      content: JSON.stringify([{ Config: config, RepoTags: tags, Layers: ['layer/layer.tar'] }]),
    },
  ]);
}

const imageWith = (content: string) =>
  imageOf({
    layers: [layerOf([{ name: 'file', content }], { compression: 'none' })],
    config: { Cmd: ['sh'] },
  });

const load = async (subject: Subject, body: Buffer, query = '') =>
  await ask(subject, `POST /v1.41/images/load${query}`, { body });
const words = (lines: readonly Loose[]) => lines.flatMap(({ stream }) => stream ?? []);
const forget = async (subject: Subject, name: string) =>
  void (await ask(subject, `DELETE /v1.41/images/${name}?force=1`));

export const imageArchiveCases: Readonly<Record<string, Case>> = {
  'an image is saved with its config, its layers and its names': async (subject) => {
    const { status, headers, bytes } = await ask(subject, 'GET /v1.41/images/busybox/get');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/x-tar');
    const files = untar(bytes);
    const [listed] = JSON.parse(files.get('manifest.json')?.content ?? '');
    assert.deepEqual(listed.RepoTags, ['busybox:latest']);
    const image = (await ask(subject, 'GET /v1.41/images/busybox/json')).json();
    assert.ok(listed.Config.includes(image.Id.slice(7)));
    assert.ok(files.has(listed.Config));
    assert.equal(listed.Layers.length, image.RootFS.Layers.length);
    for (const layer of listed.Layers) assert.ok(files.has(layer), layer);
    assert.deepEqual(Object.keys(JSON.parse(files.get('repositories')?.content ?? '').busybox), ['latest']);
    assert.equal(
      files.has('oci-layout'),
      differs(subject, {
        berth: true,
        dockerd: false,
        because: 'docker 25 and later write an OCI layout too',
      }),
    );
  },
  'several images are saved in one archive, and come back from it': async (subject) => {
    const [a, b] = [`saved-a-${subject.name}:1`, `saved-b-${subject.name}:1`];
    await load(subject, archiveOf(imageWith('a'), [a]));
    await load(subject, archiveOf(imageWith('b'), [b]));
    const saved = await ask(subject, `GET /v1.41/images/get?names=${a}&names=${b}`);
    assert.equal(saved.status, 200);
    for (const name of [a, b]) await forget(subject, name);
    const { status, lines } = await load(subject, saved.bytes);
    assert.equal(status, 200);
    assert.deepEqual(words(lines()).toSorted(), [`Loaded image: ${a}\n`, `Loaded image: ${b}\n`]);
    for (const [name, content] of [
      [a, 'a'],
      [b, 'b'],
    ] as const) {
      const { json } = await ask(subject, `GET /v1.41/images/${name}/json`);
      assert.equal(json().Id, imageWith(content).config.digest);
      assert.deepEqual(json().RootFS.Layers, [imageWith(content).layers[0]?.diffId]);
      await forget(subject, name);
    }
  },
  'an archive is loaded compressed too, tells its progress, and is silent about it when asked': async (
    subject,
  ) => {
    const name = `loaded-${subject.name}:1`;
    const image = imageWith('x'.repeat(100_000));
    const first = await load(subject, gzipSync(archiveOf(image, [name])), '?quiet=0');
    assert.match(String(first.headers['content-type']), /^application\/json/);
    const lines = first.lines();
    assert.ok(lines.some(({ status, id }) => status === 'Loading layer' && /^[0-9a-f]{12}$/.test(id)));
    assert.equal(words(lines).at(-1), `Loaded image: ${name}\n`);
    await forget(subject, name);
    const quiet = (await load(subject, archiveOf(image, [name]), '?quiet=1')).lines();
    assert.deepEqual(quiet, [{ stream: `Loaded image: ${name}\n` }]);
    await forget(subject, name);
  },
  'an image without a name is loaded under its id': async (subject) => {
    const image = imageWith(`nameless ${subject.name}`);
    const { lines } = await load(subject, archiveOf(image, null), '?quiet=1');
    assert.deepEqual(words(lines()), [`Loaded image ID: ${image.config.digest}\n`]);
    await forget(subject, image.config.digest);
  },
  'an archive with another layer than its config names is refused': async (subject) => {
    const image = imageWith(`true ${subject.name}`);
    const lie = { ...image, layers: imageWith('false').layers };
    const { status, text } = await load(subject, archiveOf(lie, ['lie:1']));
    assert.ok(status >= 400 || /"error"/.test(text), text);
    assert.equal((await ask(subject, 'GET /v1.41/images/lie:1/json')).status, 404);
  },
  'an archive that is none is refused': async (subject) => {
    const { status, text } = await load(subject, Buffer.from('not an archive, whatever it is called'));
    assert.ok(
      status >= differs(subject, { berth: 400, dockerd: 200, because: 'dockerd says so in the stream' }),
      text,
    );
    assert.match(text, /message|error/);
  },
  'what is not there is not saved': async (subject) => {
    for (const path of ['nobody/get', 'get?names=nobody', 'get?names=busybox&names=nobody:1']) {
      const { status, text } = await ask(subject, `GET /v1.41/images/${path}`);
      assert.equal(status, 404, text);
      assert.match(text, /nobody|reference does not exist/i);
    }
  },
  'an image for another platform than is wanted is neither saved nor loaded': async (subject) => {
    if (subject.name === 'dockerd') return;
    const platform = encodeURIComponent('{"os":"linux","architecture":"s390x"}');
    for (const answer of [
      await ask(subject, 'GET /v1.47/images/busybox/get?platform=linux/s390x'),
      await ask(subject, `GET /v1.47/images/get?names=busybox&platform=${platform}`),
    ]) {
      assert.equal(answer.status, 404);
      assert.match(answer.json().message, /busybox has no image for linux\/s390x/);
    }
    const archive = archiveOf(imageWith('platform'), ['platform:1']);
    const { status, json } = await ask(subject, 'POST /v1.47/images/load?platform=linux/s390x', {
      body: archive,
    });
    assert.deepEqual([status, /no image for linux\/s390x/.test(json().message)], [404, true]);
    const { Architecture } = (await ask(subject, 'GET /v1.47/images/busybox/json')).json();
    const own = `platform=linux/${Architecture}`;
    for (const path of [`busybox/get?${own}`, `get?names=busybox&${own}`])
      assert.equal((await ask(subject, `GET /v1.47/images/${path}`)).status, 200);
    const taken = await ask(subject, `POST /v1.47/images/load?${own}`, { body: archive });
    assert.deepEqual(words(taken.lines()).at(-1), 'Loaded image: platform:1\n');
    await forget(subject, 'platform:1');
  },
};

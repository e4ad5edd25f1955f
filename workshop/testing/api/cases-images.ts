import assert from 'node:assert/strict';
import type { Case } from './case.ts';
import { make } from './containers.ts';
import { ask, differs } from './wire.ts';

const filters = (value: object) => encodeURIComponent(JSON.stringify(value));
const ID = /^sha256:[0-9a-f]{64}$/;

export const imageCases: Readonly<Record<string, Case>> = {
  'images are listed with short names, whole ids and sizes': async (subject) => {
    const { status, json } = await ask(subject, 'GET /v1.41/images/json');
    assert.equal(status, 200);
    const image = json().find(({ RepoTags }: { RepoTags: string[] | null }) =>
      RepoTags?.includes('busybox:latest'),
    );
    assert.match(image.Id, ID);
    assert.equal(image.ParentId, '');
    assert.equal(typeof image.Created, 'number');
    assert.ok(image.Size > 100_000);
    assert.equal(image.SharedSize, -1);
    assert.equal(image.Containers, -1);
  },
  'images are filtered by reference, and an unknown filter is refused': async (subject) => {
    const found = await ask(subject, `GET /v1.41/images/json?filters=${filters({ reference: ['busybox'] })}`);
    assert.equal(found.json().length, 1);
    const none = await ask(
      subject,
      `GET /v1.41/images/json?filters=${filters({ reference: { nothing: true } })}`,
    );
    assert.deepEqual(none.json(), []);
    const wrong = await ask(subject, `GET /v1.41/images/json?filters=${filters({ colour: ['red'] })}`);
    assert.equal(wrong.status, 400);
    assert.match(wrong.json().message, /invalid filter 'colour'/i);
  },
  'an image is inspected by name, tag, id and the beginning of its id': async (subject) => {
    const { status, json } = await ask(subject, 'GET /v1.41/images/busybox/json');
    assert.equal(status, 200);
    const image = json();
    assert.match(image.Id, ID);
    assert.deepEqual(image.RepoTags, ['busybox:latest']);
    assert.deepEqual(image.Config.Cmd, ['sh']);
    assert.equal(image.Os, 'linux');
    // Docker's builder did not make it, so nothing is known of a container.
    assert.deepEqual(
      [image.Container, image.ContainerConfig.Cmd, image.ContainerConfig.Volumes],
      ['', null, null],
    );
    assert.match(image.Architecture, /^(amd64|arm64)$/);
    assert.equal(image.RootFS.Type, 'layers');
    assert.equal(image.RootFS.Layers.length, 1);
    assert.match(image.RootFS.Layers[0], ID);
    assert.equal(typeof image.Size, 'number');
    for (const name of ['busybox:latest', 'docker.io/library/busybox', image.Id, image.Id.slice(7, 19)])
      assert.equal((await ask(subject, `GET /v1.41/images/${name}/json`)).json().Id, image.Id, name);
  },
  'an image that is not there is not found, whatever its name': async (subject) => {
    for (const name of [
      'nobody',
      'nobody:tag',
      'team/nobody',
      '127.0.0.1:1/a/b/nobody:x',
      `sha256:${'0'.repeat(64)}`,
    ]) {
      const { status, json } = await ask(subject, `GET /v1.41/images/${name}/json`);
      assert.equal(status, 404, name);
      assert.match(json().message, /no such image/i);
      assert.equal((await ask(subject, `DELETE /v1.41/images/${name}`)).status, 404, name);
    }
  },
  'an image that a container uses is not removed': async (subject) => {
    await using _made = await make(subject, ['true']);
    const { status, json } = await ask(subject, 'DELETE /v1.41/images/busybox');
    assert.equal(status, 409);
    assert.match(json().message, /conflict: unable to remove repository reference "busybox"/);
    assert.equal((await ask(subject, 'GET /v1.41/images/busybox/json')).status, 200);
  },
  'a pull tells its progress in JSON lines, a second one that it is up to date, and what it pulled is removed':
    async (subject, { registry }) => {
      const line = `POST /v1.41/images/create?fromImage=${registry}/harbour/busybox&tag=latest`;
      const first = await ask(subject, line);
      assert.equal(first.status, 200);
      assert.match(String(first.headers['content-type']), /^application\/json/);
      const statuses = first.lines().map(({ status }) => status);
      assert.match(statuses[0], /^Pulling from harbour\/busybox$/);
      assert.match(statuses.at(-2), /^Digest: sha256:[0-9a-f]{64}$/);
      assert.equal(statuses.at(-1), `Status: Downloaded newer image for ${registry}/harbour/busybox:latest`);
      const second = await ask(subject, line);
      assert.equal(
        second.lines().at(-1).status,
        `Status: Image is up to date for ${registry}/harbour/busybox:latest`,
      );
      const image = (await ask(subject, `GET /v1.41/images/${registry}/harbour/busybox/json`)).json();
      assert.match(
        image.RepoDigests.find((name: string) => name.startsWith(registry)),
        /@sha256:[0-9a-f]{64}$/,
      );
      const removed = await ask(subject, `DELETE /v1.41/images/${registry}/harbour/busybox:latest`);
      assert.equal(removed.status, 200);
      const untagged = removed.json().flatMap((row: { Untagged?: string }) => row.Untagged ?? []);
      assert.ok(untagged.includes(`${registry}/harbour/busybox:latest`), removed.text);
      assert.equal((await ask(subject, `GET /v1.41/images/${registry}/harbour/busybox/json`)).status, 404);
    },
  'a pull by digest gets that image': async (subject, { registry }) => {
    const line = `POST /v1.41/images/create?fromImage=${registry}/harbour/pinned&tag=`;
    const digest = /sha256:[0-9a-f]{64}/.exec((await ask(subject, `${line}latest`)).text)?.[0];
    const pulled = await ask(subject, `${line}${digest}`);
    assert.equal(pulled.status, 200);
    assert.match(pulled.lines().at(-1).status, /^Status: .*@sha256:/);
    await ask(subject, `DELETE /v1.41/images/${registry}/harbour/pinned@${digest}?force=1`);
    await ask(subject, `DELETE /v1.41/images/${registry}/harbour/pinned:latest?force=1`);
  },
  'a pull of what the registry does not have is not found, before anything is streamed': async (
    subject,
    { registry },
  ) => {
    for (const name of ['harbour/nobody&tag=latest', 'harbour/busybox&tag=nobody']) {
      const { status, json } = await ask(subject, `POST /v1.41/images/create?fromImage=${registry}/${name}`);
      assert.equal(status, 404, name);
      assert.equal(typeof json().message, 'string');
    }
  },
  'a pull from a registry that is down says so with a status': async (subject) => {
    const { status, json } = await ask(
      subject,
      'POST /v1.41/images/create?fromImage=127.0.0.1:1/x&tag=latest',
    );
    assert.equal(
      status,
      differs(subject, { berth: 503, dockerd: 500, because: 'dockerd calls every network error internal' }),
    );
    assert.match(json().message, /127\.0\.0\.1:1/);
  },
  'a pull of a malformed reference or platform is refused': async (subject) => {
    for (const query of [
      'fromImage=UPPER&tag=latest',
      'fromImage=a&tag=b%20c',
      'fromImage=127.0.0.1:1/x&tag=latest&platform=a/b/c/d',
    ]) {
      const { status, json } = await ask(subject, `POST /v1.41/images/create?${query}`);
      assert.equal(status, 400, `${query}: ${json().message}`);
    }
  },
  'credentials that cannot be read': async (subject, { registry }) => {
    const line = `POST /v1.41/images/create?fromImage=${registry}/harbour/nobody&tag=latest`;
    const { status } = await ask(subject, line, { headers: { 'x-registry-auth': '!!!' } });
    assert.equal(
      status,
      differs(subject, { berth: 400, dockerd: 404, because: 'dockerd pulls without them, and says nothing' }),
    );
    for (const none of [{}, null]) {
      const header = Buffer.from(JSON.stringify(none)).toString('base64url');
      assert.equal((await ask(subject, line, { headers: { 'x-registry-auth': header } })).status, 404);
    }
  },
};

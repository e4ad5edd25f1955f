import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Case } from './case.ts';
import { registryHeader } from './registry-header.ts';
import { ask, differs } from './wire.ts';

export const registryCases: Readonly<Record<string, Case>> = {
  'a registry is asked what it has under a name, without a pull': async (subject, { registry }) => {
    const name = `${registry}/harbour/busybox`;
    const { status, json, text } = await ask(subject, `GET /v1.41/distribution/${name}:latest/json`);
    assert.equal(status, 200, text);
    const { Descriptor, Platforms } = json();
    assert.match(Descriptor.digest, /^sha256:[0-9a-f]{64}$/);
    assert.match(Descriptor.mediaType, /manifest/);
    assert.ok(Descriptor.size > 100);
    const image = (await ask(subject, 'GET /v1.41/images/busybox/json')).json();
    assert.deepEqual(
      Platforms,
      differs(subject, {
        berth: [{ architecture: image.Architecture, os: 'linux' }],
        dockerd: null,
        because: "dockerd 20.10 looks only into manifests of docker's own type",
      }),
    );
    const pinned = await ask(subject, `GET /v1.41/distribution/${name}@${Descriptor.digest}/json`);
    assert.deepEqual(pinned.json().Descriptor, Descriptor);
    for (const [missing, expected] of [
      ['harbour/nobody', 404],
      ['UPPER', 400],
    ] as const) {
      const answer = await ask(subject, `GET /v1.41/distribution/${registry}/${missing}/json`);
      assert.equal(answer.status, expected, answer.text);
    }
  },
  'a registry that wants a login is asked with it': async (subject, { locked }) => {
    const { host, username, password } = locked;
    const line = `GET /v1.41/distribution/${host}/harbour/locked:latest/json`;
    const without = await ask(subject, line);
    assert.equal(
      without.status,
      differs(subject, { berth: 401, dockerd: 500, because: 'the registry refuses it, and nothing broke' }),
      without.text,
    );
    const right = await ask(subject, line, { headers: registryHeader({ username, password }) });
    assert.equal(right.status, 200, right.text);
  },
  'a registry is searched': async (subject) => {
    const asked: string[] = [];
    const results = [
      { name: 'team/one', description: 'The first', star_count: 7, is_official: true, is_automated: false },
      { name: 'two', description: '', star_count: 2, is_official: false, is_automated: false },
      { name: 'three', description: 'x', star_count: 0, is_official: false, is_automated: true },
    ];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const isSearch = request.url?.startsWith('/v1/search');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(isSearch ? { num_results: 3, query: 'x', results } : { standalone: true }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      await subject.reachPort?.(port);
      const term = encodeURIComponent(`127.0.0.1:${port}/some thing`);
      const find = async (query = '') => await ask(subject, `GET /v1.41/images/search?term=${term}${query}`);
      const all = await find('&limit=10');
      assert.equal(all.status, 200, all.text);
      assert.deepEqual(all.json(), results);
      const [path = ''] = asked.filter((url) => url.startsWith('/v1/search'));
      const { searchParams } = new URL(path, 'http://x');
      assert.deepEqual([searchParams.get('q'), searchParams.get('n')], ['some thing', '10']);
      const names = async (filters: object) =>
        (await find(`&filters=${encodeURIComponent(JSON.stringify(filters))}`))
          .json()
          .map(({ name }: { name: string }) => name);
      assert.deepEqual(await names({ stars: ['2'] }), ['team/one', 'two']);
      assert.deepEqual(await names({ 'is-official': ['true'] }), ['team/one']);
      assert.deepEqual(await names({ 'is-automated': ['false'], stars: ['5'] }), ['team/one']);
      for (const query of ['&limit=0', '&limit=101', '&filters={"size":["1"]}', '&filters={"stars":["x"]}']) {
        const refused = await find(query);
        assert.equal(refused.status, 400, `${query}: ${refused.text}`);
      }
    } finally {
      server.closeAllConnections();
      server.close();
    }
  },
};

import assert from 'node:assert/strict';
import test from 'node:test';
import { type Lie, startLyingRegistry } from '../../workshop/testing/lying-registry.ts';
import { search } from './search.ts';
import { defaultRegistryLimits, defaultRegistrySettings } from './settings.ts';

const known = {
  settings: defaultRegistrySettings,
  limits: { ...defaultRegistryLimits, retries: 0 },
};
const find = async (term: string, credentials = {}) =>
  await search(known, { term, credentials, signal: new AbortController().signal });
const serve = (text: string): Lie => ({ do: 'serve', bytes: Buffer.from(text) });

test('what a search answers is taken as far as it makes sense', async () => {
  const odd = [
    null,
    7,
    { name: '' },
    { name: ['x'] },
    { name: 'n'.repeat(1000), description: {}, star_count: '9', is_official: 'yes' },
  ];
  await using registry = await startLyingRegistry([], ({ path }) =>
    path.startsWith('/v1/') ? serve(JSON.stringify({ results: odd })) : undefined,
  );
  assert.deepEqual(await find(`${registry.host}/x`), [
    { name: 'n'.repeat(255), description: '', star_count: 0, is_official: false, is_automated: false },
  ]);
});

test('an answer that is no search is told', async () => {
  for (const [lie, code] of [
    [serve('<html>'), 'invalid'],
    [serve('{"results":{}}'), 'invalid'],
    [serve(`{"results":["${'x'.repeat(5 * 2 ** 20)}"]}`), 'invalid'],
    [{ do: 'status', status: 404 }, 'notFound'],
    [{ do: 'status', status: 500 }, 'unavailable'],
  ] as const satisfies readonly (readonly [Lie, string])[]) {
    await using registry = await startLyingRegistry([], ({ path }) =>
      path.startsWith('/v1/') ? lie : undefined,
    );
    await assert.rejects(find(`${registry.host}/x`), { code }, code);
  }
  for (const term of ['', ' ', 'https://host/x', '127.0.0.1:5000/', 'a b:1/x'])
    await assert.rejects(find(term), { code: 'invalid' }, term);
});

test('a search shows who asks only where that is wanted, and only to whom was asked', async () => {
  await using thief = await startLyingRegistry([], () => ({ do: 'status', status: 401 }));
  const credentials = { username: 'ada', password: 'open-sesame' };
  await using registry = await startLyingRegistry([], ({ path, headers }) => {
    if (!path.startsWith('/v1/')) return undefined;
    return headers.authorization === undefined ? { do: 'status', status: 401 } : serve('{"results":[]}');
  });
  assert.deepEqual(await find(`${registry.host}/x`, credentials), []);
  await using moved = await startLyingRegistry([], ({ path }) =>
    path.startsWith('/v1/')
      ? { do: 'status', status: 302, headers: { location: `${thief.url}/v1/search` } }
      : undefined,
  );
  await assert.rejects(find(`${moved.host}/x`, credentials), (error: Error) => !/sesame/.test(error.message));
  assert.ok(thief.requests.length > 0);
  for (const { requests } of [moved, thief])
    assert.ok(requests.every(({ headers }) => headers.authorization === undefined));
});

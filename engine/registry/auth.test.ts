import assert from 'node:assert/strict';
import test from 'node:test';
import { parseChallenges } from './auth.ts';

const parsed = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

test('challenges are read with quotes, escapes and several schemes', () => {
  assert.deepEqual(
    parsed(
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    ),
    [
      [
        'bearer',
        {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:a/b:pull,push',
        },
      ],
    ],
  );
  assert.deepEqual(parsed('Basic realm="a \\"quoted\\" realm"'), [['basic', { realm: 'a "quoted" realm' }]]);
  assert.deepEqual(parsed('Negotiate, Basic realm=x , charset = UTF-8'), [
    ['negotiate', {}],
    ['basic', { realm: 'x', charset: 'UTF-8' }],
  ]);
});

test('what is no challenge is none', () => {
  assert.deepEqual(parsed(''), []);
  assert.deepEqual(parsed('="x"'), []);
});

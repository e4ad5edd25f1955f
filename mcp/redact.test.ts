import assert from 'node:assert/strict';
import test from 'node:test';
import { redactCommand, redactText, redactValue, redactVariable } from './redact.ts';

const R = '[redacted]';

for (const variable of [
  'PASSWORD=hunter2',
  'MYSQL_ROOT_PASSWORD=hunter2',
  'MYSQL_PWD=hunter2',
  'dbPassword=hunter2',
  'GITHUB_TOKEN=abcdef123456',
  'API_KEY=abc',
  'apiKey=abc',
  'AWS_SECRET_ACCESS_KEY=abc/def',
  'PRIVATE_KEY=abc',
  'CLIENT_SECRET=abc',
  'SESSION_COOKIE=abc',
  'SENTRY_DSN=https://abc@sentry/1',
  'REGISTRY_AUTH=dXNlcjpwYXNz',
  'app.secret=abc',
]) {
  test(`${variable} is redacted`, () => {
    assert.equal(redactVariable(variable), `${variable.split('=')[0]}=${R}`);
  });
}

for (const variable of [
  'PATH=/usr/bin:/bin',
  'PWD=/srv',
  'OLDPWD=/',
  'HOME=/root',
  'KEYBOARD=us',
  'AUTHOR=me',
  'TOKENIZERS_PARALLELISM=false',
  'PASSENGER_COUNT=a lot',
  'MONKEY=banana',
  'PRIMARY_KEY=id',
  'MYSQL_ALLOW_EMPTY_PASSWORD=yes',
  'POSTGRES_PASSWORD_FILE=/run/secrets/pg',
  'SSH_AUTH_SOCK=/tmp/agent',
  'TOKEN_COUNT=42',
  'EMPTY_SECRET=',
  'DATABASE_URL=postgres://app@db/app',
  'JUST_A_NAME',
  'SHA=3f786850e387550fdab836ed7e6dc881de23001b',
]) {
  test(`${variable} is shown`, () => assert.equal(redactVariable(variable), variable));
}

test('tokens are known by their shape, whatever they are called', () => {
  for (const token of [
    `ghp_${'a1'.repeat(18)}`,
    `github_pat_${'a1'.repeat(18)}`,
    'AKIAIOSFODNN7EXAMPLE',
    `sk-proj-${'a1'.repeat(18)}`,
    `sk_live_${'a1'.repeat(12)}`,
    'xoxb-123456789012-abcdefghijkl',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl',
    '-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----',
  ]) {
    assert.equal(redactVariable(`X=${token}`), `X=${R}`, token);
  }
});

test('only the password of a URL is hidden', () => {
  assert.equal(
    redactVariable('DATABASE_URL=postgres://app:s3cret@db:5432/app'),
    `DATABASE_URL=postgres://app:${R}@db:5432/app`,
  );
});

test('assignments inside a longer text are hidden', () => {
  assert.equal(redactText('curl -H "x: y" --token=abc https://x'), `curl -H "x: y" --token=${R} https://x`);
  assert.equal(redactText("PASSWORD='a b' run"), `PASSWORD=${R} run`);
  assert.equal(redactText('the key: value pair'), 'the key: value pair');
});

test('the argument after a password flag is hidden', () => {
  assert.deepEqual(redactCommand(['mysql', '-u', 'root', '--password', 'hunter2', '--token=x', 'db']), [
    'mysql',
    '-u',
    'root',
    '--password',
    R,
    `--token=${R}`,
    'db',
  ]);
  assert.deepEqual(redactCommand(['x', '--password', '--verbose']), ['x', '--password', '--verbose']);
});

test('labels are judged by name and shape', () => {
  assert.equal(redactValue('deploy.token', 'abc123def'), R);
  assert.equal(redactValue('org.opencontainers.image.authors', 'me'), 'me');
});

test('hostile input takes no time', () => {
  const started = performance.now();
  redactText(`${'a'.repeat(50_000)}=`.repeat(4));
  redactText('-'.repeat(200_000));
  redactText('x://'.repeat(50_000));
  redactText('ey'.repeat(100_000));
  assert.ok(performance.now() - started < 2000, `${performance.now() - started} ms`);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { type Lie, startLyingRegistry } from '../../workshop/testing/lying-registry.ts';
import type { Credentials } from './auth.ts';
import { logIn } from './login.ts';
import { defaultRegistryLimits, defaultRegistrySettings } from './settings.ts';

const logInAt = async (server: string, credentials: Credentials) =>
  await logIn({
    server,
    credentials,
    settings: defaultRegistrySettings,
    limits: { ...defaultRegistryLimits, retries: 0 },
    signal: new AbortController().signal,
  });

const challenge = (realm: string): Lie => ({
  do: 'status',
  status: 401,
  headers: { 'www-authenticate': `Bearer realm="${realm}",service="harbour"` },
});
const tokens = (value: object): Lie => ({ do: 'serve', bytes: Buffer.from(JSON.stringify(value)) });
const PASSWORD = { username: 'ada', password: 'open-sesame' };

test('a password becomes an identity token where the token service has one', async () => {
  await using registry = await startLyingRegistry([], ({ kind, headers }) => {
    if (kind === 'token') return tokens({ token: 'short', refresh_token: 'long' });
    return headers.authorization === 'Bearer short' ? undefined : challenge(`http://${headers.host}/token`);
  });
  assert.deepEqual(await logInAt(registry.host, PASSWORD), { identityToken: 'long' });
  const asked = registry.requests.find(({ kind }) => kind === 'token');
  const basic = `Basic ${Buffer.from('ada:open-sesame').toString('base64')}`;
  assert.equal(asked?.headers.authorization, basic);
  assert.match(asked?.path ?? '', /[?&]service=harbour&offline_token=true$/);
  // The token stands for them from then on.
  await logInAt(registry.host, { identitytoken: 'long' });
  const last = registry.requests.findLast(({ kind }) => kind === 'token');
  assert.deepEqual([last?.method, last?.headers.authorization], ['POST', undefined]);
});

test('a login that is refused is told without what was shown', async () => {
  const refusals: readonly Lie[] = [
    { do: 'status', status: 401, headers: { 'www-authenticate': 'Basic realm="harbour"' } },
    { do: 'status', status: 401 },
  ];
  for (const lie of refusals) {
    await using registry = await startLyingRegistry([], () => lie);
    await assert.rejects(logInAt(`http://${registry.host}/v2/`, PASSWORD), (error: Error) => {
      assert.match(error.message, /^127\.0\.0\.1:\d+ refuses the login: wrong name or password$/);
      assert.doesNotMatch(JSON.stringify(error), /sesame/);
      return true;
    });
  }
  await using service = await startLyingRegistry([], ({ kind, headers }) =>
    kind === 'token'
      ? { do: 'status', status: 401, body: '{"details":"incorrect username or password"}' }
      : challenge(`http://${headers.host}/token`),
  );
  await assert.rejects(logInAt(service.host, PASSWORD), { code: 'unauthorized' });
});

test('credentials go to the registry and its token service, and to nobody they send them on to', async () => {
  await using thief = await startLyingRegistry([], () =>
    tokens({ token: 'stolen', refresh_token: 'stolen' }),
  );
  // Another port is another host.
  const away: Lie = { do: 'status', status: 307, headers: { location: `${thief.url}/token` } };
  await using registry = await startLyingRegistry([], ({ kind, headers }) =>
    kind === 'token' ? away : challenge(`http://${headers.host}/token`),
  );
  await assert.rejects(logInAt(registry.host, { identitytoken: 'secret' }), {
    code: 'unavailable',
    message: /redirects credentials to 127\.0\.0\.1/,
  });
  assert.equal(thief.requests.length, 0);
  await assert.rejects(logInAt(registry.host, PASSWORD));
  assert.ok(thief.requests.every(({ headers }) => headers.authorization === undefined));
  // A registry that is somewhere else has no say in whom they are shown to.
  await using moved = await startLyingRegistry([], () => ({
    do: 'status',
    status: 302,
    headers: { location: `${registry.url}/v2/` },
  }));
  const before = registry.requests.length;
  await assert.rejects(logInAt(moved.host, PASSWORD), { code: 'unavailable', message: /no registry/ });
  assert.ok(registry.requests.slice(before).every(({ headers }) => headers.authorization === undefined));
});

test('what is no registry is told', async () => {
  await using page = await startLyingRegistry([], () => ({
    do: 'status',
    status: 404,
    body: 'nothing here',
  }));
  await assert.rejects(logInAt(page.host, PASSWORD), { code: 'unavailable', message: /answered 404/ });
  for (const address of ['a b', 'user:pass@host', '../x', 'host:port'])
    await assert.rejects(logInAt(address, PASSWORD), { code: 'invalid' }, address);
});

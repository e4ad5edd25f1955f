import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { unixMoment } from '../api/moment.ts';
import { exitCodeOfFailedStart } from './create.ts';
import { registryAuthHeader } from './credentials.ts';
import { DEFAULT_SOCKET, resolveHost } from './host.ts';

test('a moment is read as people write it', () => {
  const nowMs = Date.UTC(2026, 0, 31, 12);
  const hours = (n: number) => ((nowMs - n * 3_600_000) / 1000).toFixed(3);
  assert.equal(unixMoment('1769817600.000000001'), '1769817600.000000001');
  assert.equal(unixMoment('0s', nowMs), hours(0));
  assert.equal(unixMoment('1h30m', nowMs), hours(1.5));
  assert.equal(unixMoment('90m', nowMs), hours(1.5));
  assert.equal(unixMoment('1.5h', nowMs), hours(1.5));
  assert.equal(unixMoment('2026-01-31T12:00:00Z'), '1769860800');
  assert.equal(unixMoment('2026-01-31T13:00:00.123456789+01:00'), '1769860800.123456789');
  const zone = process.env.TZ;
  process.env.TZ = 'Asia/Kolkata';
  assert.equal(unixMoment('2026-01-31'), String(Date.UTC(2026, 0, 30, 18, 30) / 1000));
  assert.equal(unixMoment('2026-01-31T05:30'), String(Date.UTC(2026, 0, 31) / 1000));
  assert.equal(unixMoment('2026-01-31T05'), String(Date.UTC(2026, 0, 30, 23, 30) / 1000));
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
  for (const wrong of ['', 'yesterday', '10x', '-5m', '2026-13-01', '2026-01-31 12:00', '1h30'])
    assert.throws(() => unixMoment(wrong), { code: 'invalid' }, wrong);
});

test('the words of a failed start become the exit code of the docker CLI', () => {
  const codes = [
    ['exec: "nosuch": executable file not found in $PATH: unknown', 127],
    ['executable file `nosuch` not found in $PATH: No such file or directory', 127],
    ['OCI runtime attempted to invoke a command that was not found', 127],
    ['exec: "/etc": permission denied: unknown', 126],
    ['exec: "/etc": is a directory', 126],
    ['exec /bin/x: exec format error', 126],
    ['cannot allocate memory', 125],
  ] as const;
  for (const [words, code] of codes) assert.equal(exitCodeOfFailedStart(words), code, words);
});

test('stored credentials are found by registry, Docker Hub under its old name', async () => {
  await using root = await tempRoot('credentials');
  const basic = (text: string) => ({ auth: Buffer.from(text).toString('base64') });
  await writeFile(
    root.join('config.json'),
    JSON.stringify({
      auths: {
        'https://index.docker.io/v1/': basic('hub:pass:word'),
        'https://old.example.com/v1/': basic('old:secret'),
        'localhost:5000': { identitytoken: 'token' },
        'empty.example.com': {},
      },
    }),
  );
  const stored = (domain: string) => read(domain, { DOCKER_CONFIG: root.path });
  assert.deepEqual(await stored('docker.io'), {
    username: 'hub',
    password: 'pass:word',
    serveraddress: 'https://index.docker.io/v1/',
  });
  assert.deepEqual(await stored('old.example.com'), {
    username: 'old',
    password: 'secret',
    serveraddress: 'old.example.com',
  });
  assert.deepEqual(await stored('localhost:5000'), {
    identitytoken: 'token',
    serveraddress: 'localhost:5000',
  });
  assert.equal(await stored('empty.example.com'), undefined);
  assert.equal(await stored('localhost'), undefined);
  assert.equal(await read('docker.io', { DOCKER_CONFIG: root.join('absent') }), undefined);
});

test('a credential helper is asked for its registry, and only for that', async () => {
  await using root = await tempRoot('credentials');
  await mkdir(root.join('bin'));
  const helper = root.join('bin/docker-credential-chest');
  await writeFile(
    helper,
    '#!/bin/sh\n[ "$1" = get ] || exit 1\nserver=$(cat)\n[ "$server" = vault.example.com ] || exit 1\nprintf \'{"Username":"<token>","Secret":"%s"}\' "$server-token"\n',
  );
  await chmod(helper, 0o755);
  await writeFile(
    root.join('config.json'),
    JSON.stringify({ credHelpers: { 'vault.example.com': 'chest', 'other.example.com': 'chest' } }),
  );
  const env = { DOCKER_CONFIG: root.path, PATH: `${root.join('bin')}:${process.env.PATH}` };
  assert.deepEqual(await read('vault.example.com', env), {
    identitytoken: 'vault.example.com-token',
    serveraddress: 'vault.example.com',
  });
  assert.equal(await read('other.example.com', env), undefined);
  assert.equal(await read('third.example.com', env), undefined);
});

/** What the engine would read from the header: URL-safe base64 with its padding, as Go's reader wants it. */
async function read(domain: string, env: Readonly<Record<string, string>>): Promise<unknown> {
  const header = await registryAuthHeader(domain, env);
  if (header === undefined) return undefined;
  assert.match(header, /^[\w-]+=*$/);
  assert.equal(header.length % 4, 0);
  return JSON.parse(Buffer.from(header, 'base64url').toString());
}

test('an engine that is named in ways that are not served is not taken for another', () => {
  const chosen = (env: Readonly<Record<string, string>>) => resolveHost(undefined, env);
  assert.deepEqual(chosen({}), { host: { kind: 'unix', path: DEFAULT_SOCKET }, chosen: false });
  assert.equal(chosen({ DOCKER_CONTEXT: 'default' }).chosen, false);
  assert.throws(() => chosen({ DOCKER_CONTEXT: 'far' }), /there are no contexts, and DOCKER_CONTEXT is far/);
  assert.equal(chosen({ DOCKER_CONTEXT: 'far', DOCKER_HOST: 'unix:///near.sock' }).chosen, true);
  const secured = { DOCKER_HOST: 'tcp://far:2376', DOCKER_TLS_VERIFY: '1' };
  assert.throws(() => chosen(secured), /no TLS is spoken to tcp:\/\/far:2376/);
  assert.equal(chosen({ ...secured, BERTH_HOST: 'unix:///near.sock' }).chosen, true);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { BerthError } from '../api/errors.ts';
import type { ProgressLine } from '../api/wire.ts';
import { parseDetachKeys, watchDetachKeys } from './detach.ts';
import { parseMoment } from './moments.ts';
import { PLAIN_ATTACH, withUpgrade } from './plain-attach.ts';
import { openProgress } from './progress.ts';
import { parseRegistryAuth } from './registry-auth.ts';
import { openRouter, splitVersion } from './router.ts';

const invalid = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BerthError);
  assert.equal(error.code, 'invalid');
  assert.match(error.message, words);
  return true;
};

test('a version is taken off the path, and refused outside 1.24 to 1.47', () => {
  assert.deepEqual(splitVersion('/v1.30/info'), { path: '/info', apiMinor: 30 });
  assert.deepEqual(splitVersion('/info'), { path: '/info', apiMinor: 47 });
  assert.deepEqual(splitVersion('/v1.47/images/v1.2/json'), { path: '/images/v1.2/json', apiMinor: 47 });
  assert.throws(
    () => splitVersion('/v1.48/info'),
    invalid(/^client version 1\.48 is too new\. Maximum .* 1\.47$/),
  );
  assert.throws(() => splitVersion('/v2.0/info'), invalid(/too new/));
  assert.throws(
    () => splitVersion('/v1.23/info'),
    invalid(/^client version 1\.23 is too old\. Minimum .* 1\.24,/),
  );
});

test('a path finds its pattern: whole segments, slashes only where the pattern takes them', () => {
  const find = openRouter([
    { method: 'GET', path: '/images/json' },
    { method: 'GET', path: '/images/{name*}/json' },
    { method: 'GET', path: '/containers/{id}/json' },
  ]);
  assert.equal(find('GET', '/images/json')?.pattern.path, '/images/json');
  assert.deepEqual(find('GET', '/images/host:5000/team/app@sha256:ab/json')?.path, {
    name: 'host:5000/team/app@sha256:ab',
  });
  assert.deepEqual(find('GET', '/containers/a%2Fb/json')?.path, { id: 'a/b' });
  assert.equal(find('GET', '/containers/a/b/json'), undefined);
  assert.equal(find('POST', '/images/json'), undefined);
  assert.equal(find('GET', '/images/jsonx'), undefined);
});

test('a moment is read to the nanosecond', () => {
  assert.equal(parseMoment('since', '1700000000'), 1_700_000_000_000_000_000n);
  assert.equal(parseMoment('since', '1700000000.123456789'), 1_700_000_000_123_456_789n);
  assert.equal(parseMoment('since', '1.5'), 1_500_000_000n);
  assert.equal(parseMoment('since', '2023-11-14T22:13:20.000000001Z'), 1_700_000_000_000_000_001n);
  assert.equal(parseMoment('since', '2023-11-14T23:13:20+01:00'), 1_700_000_000_000_000_000n);
  for (const text of ['yesterday', '10m', '', '1e9', '2023-13-40T00:00:00Z'])
    assert.throws(() => parseMoment('since', text), invalid(/for since/));
});

test('credentials come in either base64, and what they hold is never repeated', () => {
  const encode = (value: unknown, encoding: 'base64' | 'base64url') =>
    Buffer.from(JSON.stringify(value)).toString(encoding);
  const auth = { username: 'skipper', password: 'a?>b~' };
  for (const encoding of ['base64', 'base64url'] as const)
    assert.deepEqual(parseRegistryAuth(encode({ ...auth, serveraddress: 'x', email: '' }, encoding)), auth);
  assert.deepEqual(parseRegistryAuth(encode({ identitytoken: 't' }, 'base64url')), { identitytoken: 't' });
  for (const none of [
    undefined,
    '',
    'null',
    encode(null, 'base64'),
    encode({}, 'base64'),
    encode({ username: '' }, 'base64'),
  ])
    assert.equal(parseRegistryAuth(none), undefined);
  for (const wrong of [
    '!!!',
    encode('secret', 'base64'),
    encode(['secret'], 'base64'),
    encode({ password: 1 }, 'base64'),
  ])
    assert.throws(
      () => parseRegistryAuth(wrong),
      invalid(/^X-Registry-Auth is not a JSON object in base64$/),
    );
});

test('detach keys are found across chunks, and what only began like them is passed on', () => {
  const keys = parseDetachKeys(undefined);
  assert.deepEqual(keys, [0x10, 0x11]);
  assert.deepEqual(parseDetachKeys('ctrl-a,x,ctrl-['), [1, 0x78, 0x1b]);
  for (const wrong of ['ctrl-', 'ab', 'ctrl-a,', 'ctrl-1'])
    assert.throws(() => parseDetachKeys(wrong), invalid(/detach keys/));
  const type = (texts: readonly string[]) => {
    const watch = watchDetachKeys(keys);
    const seen = texts.map((text) => watch(Buffer.from(text)));
    return [seen.map(({ pass }) => pass.toString()).join(''), seen.some(({ detached }) => detached)];
  };
  assert.deepEqual(type(['ls\r']), ['ls\r', false]);
  assert.deepEqual(type(['ls\x10\x11rest']), ['ls', true]);
  assert.deepEqual(type(['ls\x10', '\x11']), ['ls', true]);
  assert.deepEqual(type(['\x10a\x10\x10\x11']), ['\x10a\x10', true]);
  assert.deepEqual(type(['\x10', 'a']), ['\x10a', false]);
});

test('only an attach without an upgrade is given one, once its head is whole', () => {
  const attach = 'POST /v1.41/containers/x/attach?stream=1 HTTP/1.1\r\nHost: a\r\n\r\n';
  const given = (text: string) => withUpgrade(Buffer.from(text))?.toString();
  assert.equal(
    given(`${attach}input`),
    `${attach.replace('\r\n', `\r\nConnection: Upgrade\r\nUpgrade: ${PLAIN_ATTACH}\r\n`)}input`,
  );
  for (let length = 1; length < attach.length; length += 1)
    assert.equal(given(attach.slice(0, length)), undefined, String(length));
  const others = [
    'GET /containers/x/json HTTP/1.1\r\n',
    attach.replace('Host: a', 'upgrade: tcp'),
    attach.replace('/attach', '/start'),
    attach.replace('POST', 'PUT '),
    `POST /${'x'.repeat(70_000)}`,
  ];
  for (const other of others) assert.equal(given(other), other);
});

test('a slow reader of progress gets the newest byte counts, and every other line', async () => {
  const progress = openProgress();
  const count = (id: string, current: number): ProgressLine => ({
    id,
    status: 'Downloading',
    progressDetail: { current, total: 9 },
  });
  progress.write({ id: 'a', status: 'Pulling fs layer' });
  for (let current = 1; current <= 9; current += 1) {
    progress.write(count('a', current));
    progress.write(count('b', current));
  }
  progress.write({ id: 'a', status: 'Download complete' });
  progress.end();
  let text = '';
  for await (const lines of progress.lines) text += lines;
  assert.deepEqual(
    text
      .trim()
      .split('\r\n')
      .map((line) => JSON.parse(line)),
    [
      { id: 'a', status: 'Pulling fs layer' },
      count('a', 9),
      count('b', 9),
      { id: 'a', status: 'Download complete' },
    ],
  );
});

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import test from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { registryClient } from '../workshop/testing/registry-client.ts';
import { bundleBerth } from './testing/berth.ts';
import { begin, type Given } from './testing/given.ts';

test('registry passwd writes who may use registry serve, which says what is asked', async () => {
  await using berth = await bundleBerth();
  await using engine = await startEngine({ busybox: false });
  const { host } = engine;
  const users = berth.join('users');
  const passwd = (args: readonly string[], input?: string) =>
    berth.run(['registry', 'passwd', ...args], input === undefined ? {} : { input });

  const added = await passwd([users, 'ada'], 'sesame\nnot this\n');
  assert.deepEqual(added, { code: 0, stdout: '', stderr: `added ada in ${users}\n` });
  assert.match(await readFile(users, 'utf8'), /^ada:\$scrypt\$ln=15,r=8,p=1\$\S+\n$/);
  assert.equal((await stat(users)).mode & 0o777, 0o600);
  await passwd([users, 'eve'], 'apple\n');
  assert.equal((await passwd([users, 'eve'], 'pear\n')).stderr, `changed eve in ${users}\n`);
  assert.equal((await passwd(['-D', users, 'ada'])).code, 0);
  assert.match(await readFile(users, 'utf8'), /^eve:\S+\n$/);
  for (const [args, input, message] of [
    [['-D', users, 'ada'], undefined, /has no ada/],
    [[users, 'a b'], 'x\n', /invalid user name 'a b'/],
    [[users, 'bob'], '\n', /no password for bob was given/],
  ] as const) {
    const { code, stderr } = await passwd(args, input);
    assert.equal(code, 1);
    assert.match(stderr, message);
  }

  const given: Given = { berth, engine: 'berth', host, reachPort: engine.reachPort };
  const serving = begin(given, 'registry', 'serve', '--port', '0', '--passwords', users);
  let url = '';
  await serving.complained({
    test: (said: string) => {
      url = /serving images at (http:\/\/127\.0\.0\.1:\d+)\n/.exec(said)?.[1] ?? '';
      return url !== '';
    },
  });
  const eve = registryClient(url, { username: 'eve', password: 'pear' });
  assert.equal((await eve.ask('GET', '/v2/')).status, 200);
  await serving.printed('eve "GET /v2/" 200 2');
  serving.child.kill('SIGINT');
  assert.equal((await serving.ended).code, 130);

  const open = await berth.run(['registry', 'serve', '--address', '0.0.0.0'], { host });
  assert.equal(open.code, 1);
  assert.match(open.stderr, /TLS and passwords are needed there[\s\S]*--insecure/);
  const lost = await berth.run(['registry', 'serve', '--tls-cert', berth.join('none')], { host });
  assert.match(lost.stderr, /invalid value '.*none' for --tls-cert: ENOENT/);
});

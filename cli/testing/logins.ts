import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { busyboxImage, pushImage } from '../../workshop/testing/images.ts';
import { startRegistry } from '../../workshop/testing/registry.ts';
import { openTerminal } from '../../workshop/testing/terminal.ts';
import { type Behaviours, type Given, print } from './given.ts';

/** A registry that wants a name, and a place for logins, which go with it. */
async function lockedRegistry(given: Given) {
  await using undo = new AsyncDisposableStack();
  const registry = undo.use(await startRegistry({ mode: 'htpasswd', port: given.registryPort ?? 0 }));
  await given.reachPort(Number(registry.host.split(':')[1]));
  const directory = given.berth.join(`logins-${given.engine}`);
  undo.defer(() => rm(directory, { recursive: true, force: true }));
  const { username = '', password = '' } = registry.credentials ?? {};
  const kept = undo.move();
  return {
    host: registry.host,
    registry,
    username,
    password,
    directory,
    env: { DOCKER_CONFIG: directory },
    config: async () => JSON.parse(await readFile(`${directory}/config.json`, 'utf8')),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export const logins: Behaviours = {
  'login keeps what the registry takes, pull uses it, logout forgets it': async (given) => {
    const { berth, host } = given;
    await using locked = await lockedRegistry(given);
    const { env, username, password } = locked;
    await pushImage({ registry: locked.registry, name: 'private/app', ...(await busyboxImage()) });
    const image = `${locked.host}/private/app`;
    const stdin = ['login', '-u', username, '--password-stdin', locked.host];
    const wrong = await berth.run(stdin, { host, env, input: 'guess\n' });
    assert.deepEqual([wrong.code, wrong.stdout], [1, ''], wrong.stderr);
    assert.doesNotMatch(wrong.stderr, /guess/);
    await assert.rejects(locked.config(), { code: 'ENOENT' });

    const first = await berth.run(stdin, { host, env, input: `${password}\n` });
    assert.deepEqual([first.code, first.stdout], [0, 'Login Succeeded\n'], first.stderr);
    assert.match(first.stderr, /^WARNING! The password is kept unencrypted in .*config\.json\.\n$/);
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    assert.deepEqual(await locked.config(), { auths: { [locked.host]: { auth } } });
    assert.equal((await stat(`${locked.directory}/config.json`)).mode & 0o777, 0o600);
    const again = await berth.run(['login', `http://${locked.host}/v2/`], { host, env });
    assert.deepEqual([again.code, again.stdout], [0, 'Login Succeeded\n'], again.stderr);
    assert.match(again.stderr, /^Authenticating with existing credentials\.\.\.\n/);

    const pulled = await berth.run(['pull', '-q', image], { host, env });
    assert.equal(pulled.code, 0, pulled.stderr);
    await print(given, 'rmi', image);
    const out = await berth.run(['logout', locked.host], { host, env });
    assert.deepEqual(out, {
      code: 0,
      stdout: `Removing login credentials for ${locked.host}\n`,
      stderr: '',
    });
    assert.deepEqual(await locked.config(), { auths: {} });
    const none = await berth.run(['logout', locked.host], { host, env });
    assert.equal(none.stdout, `Not logged in to ${locked.host}\n`);
    const refused = await berth.run(['pull', '-q', image], { host, env });
    assert.equal(refused.code, 1);
  },

  'login gives a password to the helper that config.json names, and logout takes it back': async (given) => {
    const { berth, host } = given;
    await using locked = await lockedRegistry(given);
    const { directory, username, password } = locked;
    await mkdir(`${directory}/bin`, { recursive: true });
    const helper = `${directory}/bin/docker-credential-chest`;
    // Keeps what it is given in a file, and answers from it.
    await writeFile(
      helper,
      `#!/bin/sh
cd '${directory}'
case "$1" in
store) cat > chest ;;
get) [ -e chest ] && sed 's/"ServerURL"/"Server"/' chest || { echo 'credentials not found'; exit 1; } ;;
erase) [ -e chest ] && rm chest ;;
esac
`,
    );
    await chmod(helper, 0o755);
    const before = { credHelpers: { [locked.host]: 'chest' }, proxies: { default: {} } };
    await writeFile(`${directory}/config.json`, JSON.stringify(before));
    const env = { ...locked.env, PATH: `${directory}/bin:${berth.env.PATH}` };
    const first = await berth.run(['login', '-u', username, '--password-stdin', locked.host], {
      host,
      env,
      input: password,
    });
    assert.deepEqual(first, { code: 0, stdout: 'Login Succeeded\n', stderr: '' });
    assert.deepEqual(JSON.parse(await readFile(`${directory}/chest`, 'utf8')), {
      ServerURL: locked.host,
      Username: username,
      Secret: password,
    });
    assert.deepEqual(await locked.config(), { ...before, auths: { [locked.host]: {} } });
    const again = await berth.run(['login', locked.host], { host, env });
    assert.deepEqual([again.code, again.stdout], [0, 'Login Succeeded\n'], again.stderr);
    await berth.run(['logout', locked.host], { host, env });
    await assert.rejects(stat(`${directory}/chest`), { code: 'ENOENT' });

    await writeFile(helper, '#!/bin/sh\necho "the chest is locked: $(cat)"\nexit 1\n');
    const broken = await berth.run(['login', '-u', username, '-p', password, locked.host], { host, env });
    assert.deepEqual([broken.code, broken.stdout], [1, '']);
    assert.match(broken.stderr, /docker-credential-chest does not keep the login: the chest is locked/);
    assert.ok(!broken.stderr.includes(password));
  },

  'login asks on a terminal, and does not show the password; elsewhere it says what is missing': async (
    given,
  ) => {
    const { berth, host } = given;
    await using locked = await lockedRegistry(given);
    const { env, username, password } = locked;
    await using terminal = openTerminal({
      command: [...berth.command, 'login', locked.host],
      env: { ...berth.env, ...env, BERTH_HOST: host },
    });
    await terminal.waitFor(/Username:/);
    terminal.send(`${username}\r`);
    await terminal.waitFor(/Password:/);
    terminal.send(`${password}\r`);
    assert.deepEqual(await terminal.exited, { exitCode: 0, signal: 0 });
    assert.match(terminal.screen(), /Login Succeeded/);
    assert.ok(!terminal.written().includes(password));

    const missing = await berth.run(['login', '-u', 'ada', 'other.example.com'], { host, env });
    assert.deepEqual([missing.code, missing.stdout], [1, '']);
    assert.match(missing.stderr, /Cannot perform an interactive login from a non TTY device/);
    for (const [args, words] of [
      [['-p', 'x', '--password-stdin', '-u', 'ada'], /mutually exclusive/],
      [['--password-stdin'], /Must provide --username with --password-stdin/],
    ] as const) {
      const { code, stderr } = await berth.run(['login', ...args, locked.host], { host, env });
      assert.deepEqual([code, words.test(stderr)], [125, true], stderr);
    }
    const empty = await berth.run(['login', '-u', 'ada', '--password-stdin', locked.host], { host, env });
    assert.deepEqual([empty.code, /password is empty/.test(empty.stderr)], [1, true]);
  },
};

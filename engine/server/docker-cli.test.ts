import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import { execa } from 'execa';
import { type DockerCli, dockerCliMissing, openDockerCli } from '../../workshop/testing/docker-cli.ts';

/** The docker CLI on this engine: a container's life as people drive it. */

const DETACH = '\x10\x11';

describe('docker CLI', { concurrency: 3, skip: dockerCliMissing }, () => {
  const opened = Promise.withResolvers<DockerCli>();
  before(async () => opened.resolve(await openDockerCli()));
  after(async () => (await opened.promise)[Symbol.asyncDispose]());

  const docker: DockerCli['docker'] = async (...args) => (await opened.promise).docker(...args);
  const said: DockerCli['said'] = async (...args) => (await opened.promise).said(...args);
  const fed: DockerCli['fed'] = async (...args) => (await opened.promise).fed(...args);
  const running: DockerCli['running'] = async (...args) => (await opened.promise).running(...args);
  const terminal: DockerCli['terminal'] = async (...args) => (await opened.promise).terminal(...args);

  test('version and info describe this engine', async () => {
    const version = await said('version');
    assert.match(version, /Server: Berth/);
    assert.match(version, /API version: +1\.47 \(minimum version 1\.24\)/);
    const info = await said('info');
    assert.match(info, /Server Version: \d/);
    assert.match(info, /Swarm: inactive/);
    assert.doesNotMatch(info, /ERROR/);
  });

  test('an older client speaks its own version', async () => {
    const { stdout } = await execa('docker', ['version', '--format', '{{.Client.APIVersion}}'], {
      env: { ...(await opened.promise).environment, DOCKER_API_VERSION: '1.30' },
    });
    assert.equal(stdout, '1.30');
  });

  test('run --rm shows what the container writes, ends with its exit code and leaves nothing', async () => {
    const name = 'cli-rm';
    const { exitCode, stdout, stderr } = await docker(
      ...['run', '--rm', '--name', name, 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7'],
    );
    assert.deepEqual([exitCode, stdout, stderr], [7, 'out', 'err']);
    assert.equal(await said('ps', '-aq', '--filter', `name=${name}`), '');
  });

  test('run -i passes its input on and ends it', async () => {
    const { stdout, exitCode } = await fed('b\na\n', 'run', '-i', '--rm', 'busybox', 'sort');
    assert.deepEqual([exitCode, stdout], [0, 'a\nb']);
  });

  test('run -i carries megabytes both ways whole', async () => {
    const input = `${'0123456789abcdef'.repeat(64)}\n`.repeat(4096);
    const { stdout } = await fed(input, 'run', '-i', '--rm', 'busybox', 'cat');
    assert.equal(stdout.length, input.length - 1);
    assert.ok(`${stdout}\n` === input);
  });

  test('run ends with 127 for a program that is not there, 126 for one that cannot run, 125 for a bad image', async () => {
    assert.equal((await docker('run', '--rm', 'busybox', 'no-such-program')).exitCode, 127);
    assert.equal((await docker('run', '--rm', 'busybox', '/etc/passwd')).exitCode, 126);
    assert.equal((await docker('run', '--rm', 'busybox', '/etc')).exitCode, 126);
    const { registry } = await opened.promise;
    const missing = await docker('run', '--rm', `${registry}/nobody`);
    assert.equal(missing.exitCode, 125);
    assert.match(missing.stderr, /nobody/);
  });

  test('run -it is a terminal: its size, its keys, its exit code', async () => {
    await using screen = await terminal('run', '-it', '--rm', 'busybox', 'sh');
    await screen.waitFor('/ #');
    screen.send('stty size; echo $((6*7))\r');
    await screen.waitFor(/40 120\s+42/);
    screen.send('while [ "$(stty size)" != "30 100" ]; do sleep 0.1; done; echo resized\r');
    // The CLI hears of a new size only once it listens for one, some time after the shell's first words.
    using _resizing = setInterval(() => {
      screen.resize(99, 30);
      screen.resize(100, 30);
    }, 300);
    await screen.waitFor(/^resized/m);
    screen.send('exit 9\r');
    assert.equal((await screen.exited).exitCode, 9);
  });

  test('the detach keys leave the container running, and attach comes back to it', async () => {
    await using _removed = {
      [Symbol.asyncDispose]: async () => void (await docker('rm', '-f', 'cli-detach')),
    };
    await using first = await terminal('run', '-it', '--name', 'cli-detach', 'busybox', 'sh');
    await first.waitFor('/ #');
    first.send(DETACH);
    await first.exited;
    assert.equal(await said('inspect', '-f', '{{.State.Status}}', 'cli-detach'), 'running');
    await using second = await terminal('attach', 'cli-detach');
    second.send('echo $((6*7))\r');
    await second.waitFor('42');
    second.send('exit 3\r');
    assert.equal((await second.exited).exitCode, 3);
  });

  test('run -d gives the id, and ps, inspect and logs find the container', async () => {
    await using made = await running('cli-d', 'sh', '-c', 'echo hello; sleep 60');
    assert.match(made.id, /^[0-9a-f]{64}$/);
    const row = await said(
      'ps',
      '--no-trunc',
      '--filter',
      'name=^/cli-d$',
      '--format',
      '{{.ID}}|{{.Image}}|{{.Command}}|{{.State}}|{{.Names}}',
    );
    assert.equal(row, `${made.id}|busybox|"sh -c 'echo hello; sleep 60'"|running|cli-d`);
    assert.match(await said('ps'), /CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES/);
    const [container] = JSON.parse(await said('inspect', 'cli-d'));
    assert.deepEqual([container.Id, container.State.Running], [made.id, true]);
    assert.match(
      await said('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'cli-d'),
      /^\d+\.\d+\.\d+\.\d+$/,
    );
    assert.equal(await said('logs', 'cli-d'), 'hello');
    assert.match(await said('logs', '-t', '-n', '1', 'cli-d'), /^\d{4}-\d\d-\d\dT[\d:.]+Z hello$/);
  });

  test('logs -f follows until the container ends', async () => {
    await using _made = await running('cli-follow', 'sh', '-c', 'echo one; echo oops >&2; sleep 1; echo two');
    const { stdout, stderr } = await docker('logs', '-f', 'cli-follow');
    assert.deepEqual([stdout, stderr], ['one\ntwo', 'oops']);
  });

  test('stop, start, restart, kill and wait do what they say', async () => {
    await using _made = await running(
      'cli-life',
      'sh',
      '-c',
      'trap "exit 5" TERM; while :; do sleep 0.1; done',
    );
    const waiting = said('wait', 'cli-life');
    assert.equal(await said('stop', 'cli-life'), 'cli-life');
    assert.match(await waiting, /^(5|143)$/);
    assert.equal(await said('start', 'cli-life'), 'cli-life');
    assert.equal(await said('restart', '-t', '0', 'cli-life'), 'cli-life');
    assert.equal(await said('kill', 'cli-life'), 'cli-life');
    assert.equal(await said('wait', 'cli-life'), '137');
    const again = await docker('kill', 'cli-life');
    assert.equal(again.exitCode, 1);
    assert.match(again.stderr, /is not running/);
  });

  test('create and start -a run it attached', async () => {
    await said('create', '--name', 'cli-create', 'busybox', 'sh', '-c', 'echo made; exit 4');
    const { exitCode, stdout } = await docker('start', '-a', 'cli-create');
    assert.deepEqual([exitCode, stdout], [4, 'made']);
    assert.equal(await said('rm', 'cli-create'), 'cli-create');
  });

  test('rm refuses a running container, and takes it by force', async () => {
    await using _made = await running('cli-force', 'sleep', '60');
    const refused = await docker('rm', 'cli-force');
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /cannot remove container|You cannot remove a running container/);
    assert.equal(await said('rm', '-f', 'cli-force'), 'cli-force');
  });

  test('pull, images, inspect and rmi handle an image of a registry', async () => {
    const { registry } = await opened.promise;
    const name = `${registry}/harbour/busybox`;
    const pulled = await said('pull', name);
    assert.match(pulled, /Using default tag: latest\nlatest: Pulling from harbour\/busybox/);
    assert.match(pulled, /Digest: sha256:[0-9a-f]{64}\nStatus: Downloaded newer image for /);
    assert.match(await said('pull', name), /Status: Image is up to date for /);
    assert.match(
      await said('images', name),
      new RegExp(`REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\\n${name} +latest`),
    );
    assert.equal(await said('inspect', '-f', '{{.Os}}', name), 'linux');
    assert.equal(await said('run', '--rm', name, 'echo', 'from here'), 'from here');
    assert.match(await said('rmi', name), new RegExp(`^Untagged: ${name}:latest`));
    const missing = await docker('pull', `${registry}/harbour/nobody`);
    assert.equal(missing.exitCode, 1);
  });

  test('events tell of a life, and end at until', async () => {
    const since = String(Math.floor(Date.now() / 1000));
    await said('run', '--rm', '--name', 'cli-events', 'busybox', 'true');
    const until = String(Math.ceil(Date.now() / 1000));
    const events = await said(
      ...['events', '--since', since, '--until', until, '--filter', 'container=cli-events'],
      ...['--format', '{{.Type}} {{.Action}}'],
    );
    assert.deepEqual(
      events.split('\n'),
      ['create', 'attach', 'start', 'die', 'destroy'].map((action) => `container ${action}`),
    );
  });

  test('inspect of what is nothing says so', async () => {
    const { exitCode, stderr, stdout } = await docker('inspect', 'nobody');
    assert.deepEqual([exitCode, stdout], [1, '[]']);
    assert.match(stderr, /no such object: nobody/i);
  });

  test('network ls shows bridge, host and none', async () => {
    const names = await said('network', 'ls', '--format', '{{.Name}}');
    assert.deepEqual(names.split('\n').toSorted(), ['bridge', 'host', 'none']);
  });

  test('what is not served is refused by name', async () => {
    const { exitCode, stderr } = await docker('plugin', 'ls');
    assert.equal(exitCode, 1);
    assert.match(stderr, /GET \/plugins is not served by this engine/);
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Behaviours, begin, containerOf, print } from './given.ts';

/** Logs, lists, inspect, events: commands that only look. */
export const reading: Behaviours = {
  'logs keeps the two streams apart, and cuts by line and by time': async (given) => {
    const { berth, host } = given;
    const script = 'for i in 1 2 3; do echo out $i; echo err $i >&2; done';
    await using container = await containerOf(given, { command: ['sh', '-c', script] });
    await print(given, 'wait', container.name);
    const all = await berth.run(['logs', container.name], { host });
    assert.deepEqual(all, { code: 0, stdout: 'out 1\nout 2\nout 3\n', stderr: 'err 1\nerr 2\nerr 3\n' });
    const last = await berth.run(['logs', '--tail', '2', '-t', container.name], { host });
    // Which lines are the last is the engine's to say: the order across the two streams is not kept everywhere.
    const lines = (last.stdout + last.stderr).trimEnd().split('\n');
    assert.equal(lines.length, 2);
    for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S* (out|err) [23]$/);
    const none = await berth.run(['logs', '--until', '1h', container.name], { host });
    assert.deepEqual(none, { code: 0, stdout: '', stderr: '' });
    assert.equal((await berth.run(['logs', '--since', '1h', container.name], { host })).stdout, all.stdout);
    const wrong = await berth.run(['logs', '--since', 'yesterday', container.name], { host });
    assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
    assert.match(wrong.stderr, /invalid time 'yesterday'/);
  },

  'logs -f goes on until the container ends': async (given) => {
    const script = 'echo first; read line; echo $line';
    await using container = await containerOf(given, { flags: ['-i'], command: ['sh', '-c', script] });
    const logs = begin(given, 'logs', '-f', container.name);
    await logs.printed('first\n');
    const attached = begin(given, 'attach', container.name);
    attached.child.stdin?.end('second\n');
    assert.deepEqual(await logs.ended, { code: 0, stdout: 'first\nsecond\n', stderr: '' });
    await attached.ended;
  },

  'a reader that goes away ends the command quietly': async (given) => {
    const { berth, host } = given;
    await using container = await containerOf(given, { command: ['yes', 'a line that is repeated'] });
    const shell = spawn(
      'sh',
      ['-c', '"$@" | head -n 1; echo end', 'sh', ...berth.command, 'logs', '-f', container.name],
      {
        env: { ...berth.env, BERTH_HOST: host },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const [stdout, stderr] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
    assert.deepEqual({ stdout, stderr }, { stdout: 'a line that is repeated\nend\n', stderr: '' });
  },

  "ps has docker's columns, and filters": async (given) => {
    await using one = await containerOf(given, { flags: ['-l', 'part=one'] });
    await using two = await containerOf(given, { command: ['true'] });
    await print(given, 'wait', two.name);
    const [header = '', row = '', ...more] = (await print(given, 'ps', '--filter', `name=${one.name}`)).split(
      '\n',
    );
    assert.match(header, /^CONTAINER ID {3}IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/);
    assert.match(
      row,
      new RegExp(`^${one.id.slice(0, 12)}   \\S*busybox\\S* +"sleep 1000" .* ago +Up .* ${one.name}$`),
    );
    assert.deepEqual(more, ['']);
    assert.equal(await print(given, 'ps', '-q', '-f', 'label=part=one'), `${one.id.slice(0, 12)}\n`);
    assert.equal(await print(given, 'ps', '-aq', '--no-trunc', '-f', `name=${two.name}`), `${two.id}\n`);
    assert.equal(await print(given, 'ps', '-lq', '--no-trunc'), `${two.id}\n`);
    assert.equal(
      await print(given, 'ps', '-a', '-n', '1', '--format', '{{.Names}} {{.State}}'),
      `${two.name} exited\n`,
    );
    assert.equal(await print(given, 'container', 'ls', '-q', '-f', 'label=part=none'), '');
  },

  "--format json prints an object a line, with docker's fields": async (given) => {
    await using container = await containerOf(given);
    const lines = (await print(given, 'ps', '--format', 'json')).trimEnd().split('\n');
    const row = lines.map((line) => JSON.parse(line)).find(({ Names }) => Names === container.name);
    assert.deepEqual(Object.keys(row), [
      ...[
        'Command',
        'CreatedAt',
        'ID',
        'Image',
        'Labels',
        'LocalVolumes',
        'Mounts',
        'Names',
        'Networks',
        'Platform',
        'Ports',
      ],
      ...['RunningFor', 'Size', 'State', 'Status'],
    ]);
    assert.equal(row.ID, container.id.slice(0, 12));
    assert.match(row.CreatedAt, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC$/);
    const wrong = await given.berth.run(['ps', '--format', '{{.Nope}}'], { host: given.host });
    assert.deepEqual([wrong.code, wrong.stdout], [1, '']);
    const images = (await print(given, 'images', '--format', 'json')).trimEnd().split('\n');
    assert(
      images
        .map((line) => JSON.parse(line))
        .some(({ Repository, Tag }) => `${Repository}:${Tag}` === 'busybox:latest'),
    );
  },

  "images has docker's columns": async (given) => {
    const [header = '', row = ''] = (await print(given, 'images', 'busybox')).split('\n');
    assert.match(header, /^REPOSITORY {3}TAG {7}IMAGE ID {7}CREATED +SIZE$/);
    assert.match(row, /^busybox +latest +[0-9a-f]{12} +.+ ago +[\d.]+[kM]B$/);
    assert.match(await print(given, 'images', '-q', '--no-trunc', 'busybox'), /^sha256:[0-9a-f]{64}\n$/);
    assert.match(await print(given, 'image', 'ls', '--digests'), /^REPOSITORY +TAG +DIGEST +IMAGE ID/);
    assert.equal(await print(given, 'images', '-q', 'no-such-image'), '');
  },

  'inspect finds containers and images, says what is missing, and prints what it found': async (given) => {
    const { berth, host } = given;
    await using container = await containerOf(given);
    const both = JSON.parse(await print(given, 'inspect', container.name, 'busybox'));
    assert.deepEqual([both[0].Id, both[1].Os], [container.id, 'linux']);
    const some = await berth.run(['inspect', '-f', '{{.Id}}', container.name, 'no-such-thing'], { host });
    assert.deepEqual([some.code, some.stdout], [1, `${container.id}\n`]);
    assert.match(some.stderr, /^berth: No such object: no-such-thing\n/);
    const typed = await berth.run(['inspect', '--type', 'image', container.name], { host });
    assert.deepEqual([typed.code, typed.stdout], [1, '[]\n']);
    assert.equal(JSON.parse(await print(given, 'image', 'inspect', '-f', 'json', 'busybox'))[0].Os, 'linux');
    assert.equal((await berth.run(['container', 'inspect', 'busybox'], { host })).code, 1);
  },

  'events tells what happened to a container': async (given) => {
    const since = String(Math.floor(Date.now() / 1000));
    await using container = await containerOf(given, { command: ['true'] });
    await print(given, 'wait', container.name);
    const args = ['--since', since, '--filter', `container=${container.name}`];
    const seen = begin(given, 'events', ...args, '--format', 'json');
    await seen.printed('"die"');
    seen.child.kill('SIGINT');
    const { code, stdout, stderr } = await seen.ended;
    assert.deepEqual([code, stderr], [130, '']);
    const actions = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).Action as string);
    for (const action of ['create', 'start', 'die'])
      assert(actions.includes(action), `${action} in ${actions}`);
    // Podman 4.3 answers nothing where `until` is past.
    if (given.engine === 'podman') return;
    const [line = ''] = (await print(given, 'events', ...args, '--until', '0s')).split('\n');
    assert.match(
      line,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z container create [0-9a-f]{64} \(.*image=.*busybox/,
    );
  },

  'version and info tell of the engine that answers, in the words that scripts look for': async (given) => {
    const version = JSON.parse(await print(given, 'version', '--format', 'json'));
    assert.match(version.Client.Version, /^\d+\.\d+\.\d+/);
    assert.match(
      await print(given, 'version'),
      new RegExp(
        `^Client: Berth\\n Version: .*\\nServer:.* Engine:\\n  Version: +${RegExp.escape(version.Server.Version)}\\n`,
        's',
      ),
    );
    assert.match(
      await print(given, 'info'),
      /^Client: Berth\n Version: .*\nServer:\n Containers: \d+\n {2}Running: .*\n CPUs: \d+\n Total Memory: [\d.]+GiB\n/s,
    );
  },

  "docker's flags before the command are taken where they mean something": async (given) => {
    const { berth, host } = given;
    await using container = await containerOf(given);
    const wanted = await print(given, 'ps', '-q', '-f', `name=${container.name}`);
    for (const flags of [
      ['-c', 'default'],
      ['-D'],
      ['-l', 'error'],
      ['--tls=false'],
      ['--config', berth.join()],
    ])
      assert.equal(await print(given, ...flags, 'ps', '-q', '-f', `name=${container.name}`), wanted);
    const elsewhere = await berth.run([`-H${host}`, 'ps', '-q', '-f', `name=${container.name}`], {
      host: 'unix:///no/such.sock',
    });
    assert.equal(elsewhere.stdout, wanted);
    const debugged = await berth.run(['-D', '-H', 'unix:///no/such.sock', 'ps']);
    assert.match(debugged.stderr, /no engine answers at[\s\S]*ENOENT[\s\S]*\n {4}at /);
  },

  "a format in docker's config.json holds where none is typed": async (given) => {
    await using container = await containerOf(given);
    const config = given.berth.join(`config-${given.engine}`);
    await mkdir(config);
    const formats = {
      psFormat: '{{.Names}}!',
      imagesFormat: '{{.Tag}}!',
      networksFormat: '{{.Name}}!',
      volumesFormat: '{{.Name}}!',
    };
    await writeFile(`${config}/config.json`, JSON.stringify(formats));
    const run = (...args: readonly string[]) => print(given, '--config', config, ...args);
    const only = ['-f', `name=${container.name}`];
    assert.equal(await run('ps', ...only), `${container.name}!\n`);
    assert.equal(await run('ps', ...only, '--format', '{{.State}}'), 'running\n');
    assert.equal(await run('ps', '-q', '--no-trunc', ...only), `${container.id}\n`);
    assert.equal(await run('images', 'busybox'), 'latest!\n');
    assert.equal(await run('network', 'ls', '-f', 'name=bridge'), 'bridge!\n');
    assert.equal(await run('volume', 'ls', '-f', 'name=no-such-volume'), '');
  },

  'rm -f and rmi -f say what is not there, and are content': async ({ berth, host }) => {
    for (const command of ['rm', 'rmi']) {
      const { code, stdout, stderr } = await berth.run([command, '-f', 'no-such-thing'], { host });
      assert.deepEqual([code, stdout], [0, ''], stderr);
      assert.match(stderr, /no-such-thing/);
    }
  },

  'bad input gets one clear message and the right exit code': async ({ berth, host }) => {
    const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['imges'], 125, /^berth: unknown command: berth imges\n {2}try: berth images\n$/],
      [['containr', 'ls'], 125, /unknown command: berth containr\n {2}try: berth container\n$/],
      [['--context', 'other', 'ps'], 1, /--context is not supported: there are no contexts/],
      [['--tlsverify', 'ps'], 1, /--tlsverify is not supported: no TLS is spoken\n {2}try: ssh /],
      [['--hots', 'x', 'ps'], 125, /unknown flag --hots for berth; did you mean --host\?/],
      [['--log-level', 'loud', 'ps'], 125, /"loud" for --log-level: expected one of debug, info/],
      [['images', '--tree'], 1, /--tree is not supported: an image has one platform here/],
      [['pull', '-a', 'busybox'], 1, /--all-tags is not supported/],
      [['start', '--checkpoint', 'x', 'y'], 1, /--checkpoint is not supported/],
      [['container', 'lst'], 125, /unknown command: berth container lst\n {2}try: berth container ls\n$/],
      [['ps', '--al'], 125, /unknown flag --al for berth ps; did you mean --all\?/],
      [['ps', 'extra'], 125, /berth ps takes no arguments, not 1/],
      [['stop'], 125, /berth stop takes at least 1 argument, not 0/],
      [['ps', '--filter', 'nonsense=1'], 1, /filter/i],
      [['logs', 'no-such-container'], 1, /no-such-container/],
      [['image', 'inspect', '-f', '{{.Id}}', 'no-such-image'], 1, /no-such-image/],
      [['rmi', 'no-such-image'], 1, /no-such-image/],
      [['--host', 'ftp://x', 'ps'], 125, /invalid host 'ftp:\/\/x'/],
      [['-H', 'unix:///no/such.sock', 'ps'], 1, /no engine answers at unix:\/\/\/no\/such\.sock/],
      [['ps', '-H', 'unix:///no/such.sock'], 1, /no engine answers at/],
    ];
    for (const [args, code, words] of wrong) {
      const ended = await berth.run(args, { host });
      assert.deepEqual([ended.code, ended.stdout], [code, ''], `berth ${args.join(' ')}: ${ended.stderr}`);
      assert.match(ended.stderr, words);
    }
  },
};

import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { type Behaviours, begin, containerOf, print, remove } from './given.ts';

const ID = /^[0-9a-f]{64}\n$/;

/** `run` and its relatives, without a terminal. */
export const running: Behaviours = {
  "run ends with the container's exit code, and prints what it printed": async ({ berth, host }) => {
    const script = 'echo out; echo err >&2; exit 7';
    const ended = await berth.run(['run', '--rm', 'busybox', 'sh', '-c', script], { host });
    assert.deepEqual(ended, { code: 7, stdout: 'out\n', stderr: 'err\n' });
  },

  'run ends with 127 for a program that is not there, with 126 for one that is none, and leaves no container':
    async (given) => {
      const { berth, host } = given;
      const before = await print(given, 'ps', '-aq');
      for (const [program, code] of [
        ['no-such-program', 127],
        ['/etc', 126],
      ] as const) {
        for (const flags of [['--rm'], [], ['-d']]) {
          const ended = await berth.run(['run', ...flags, 'busybox', program], { host });
          assert.deepEqual([ended.code, ended.stdout], [code, ''], ended.stderr);
          assert.match(ended.stderr, /^berth: .+\n/);
        }
      }
      assert.equal(await print(given, 'ps', '-aq'), before);
    },

  'run ends with 125 when the engine refuses, and creates nothing': async (given) => {
    const { berth, host } = given;
    await using there = await containerOf(given);
    const before = await print(given, 'ps', '-aq');
    const refused: readonly (readonly [readonly string[], RegExp])[] = [
      [['--name', there.name, 'busybox'], new RegExp(there.name)],
      [['--pull', 'never', 'no-such-image:here'], /no-such-image/],
      [['Busybox'], /lower ?case/],
      [['--no-such-flag', 'busybox'], /unknown flag --no-such-flag/],
      [['--memory', 'lots', 'busybox'], /'lots' for --memory/],
      [['-it', 'busybox'], /not a TTY/],
      [['--detach-keys', 'nonsense', 'busybox'], /detach keys/],
      [[], /takes at least 1 argument/],
    ];
    for (const [args, words] of refused) {
      const ended = await berth.run(['run', '--rm', ...args], { host });
      assert.deepEqual([ended.code, ended.stdout], [125, ''], ended.stderr);
      assert.match(ended.stderr, words);
    }
    assert.equal(await print(given, 'ps', '-aq'), before);
  },

  'what is piped in reaches the container, and so does its end': async ({ berth, host }) => {
    const cat = await berth.run(['run', '--rm', '-i', 'busybox', 'cat'], { host, input: 'hi\n' });
    assert.deepEqual(cat, { code: 0, stdout: 'hi\n', stderr: '' });
    const big = `${'x'.repeat(99)}\n`.repeat(20_000);
    const ended = await berth.run(['run', '--rm', '-i', 'busybox', 'sh', '-c', 'cat; echo done >&2'], {
      host,
      input: big,
    });
    assert.equal(ended.stdout.length, big.length);
    assert.equal(ended.stdout, big);
    assert.equal(ended.stderr, 'done\n');
  },

  'without -i the container has no input': async ({ berth, host }) => {
    const ended = await berth.run(['run', '--rm', 'busybox', 'cat'], { host, input: 'hi\n' });
    assert.deepEqual(ended, { code: 0, stdout: '', stderr: '' });
  },

  'arguments after the image are the container’s own': async (given) => {
    const printed = await print(
      given,
      'run',
      '--rm',
      'busybox',
      'echo',
      '--rm',
      '-it',
      '--',
      '--help',
      '-H',
      'x',
    );
    assert.equal(printed, '--rm -it -- --help -H x\n');
  },

  'the options reach the container': async (given) => {
    const { berth, host } = given;
    const script = 'echo $A $PASSED [$ABSENT] $(pwd) $(id -u):$(id -g) $(hostname) $0';
    const ended = await berth.run(
      [
        ...['run', '--rm', '-eA=b', '--env', 'PASSED', '-e', 'ABSENT', '-w', '/tmp', '-u', '1:2'],
        ...['--hostname', 'box', '--entrypoint', 'sh', 'busybox', '-c', script, 'zero'],
      ],
      { host, env: { PASSED: 'on' } },
    );
    assert.deepEqual(ended, { code: 0, stdout: 'b on [] /tmp 1:2 box zero\n', stderr: '' });
    await using limited = await containerOf(given, {
      flags: ['-m', '64m', '--cpus', '0.5', '--label', 'tier=web', '--stop-signal', 'INT', '--pids-limit=99'],
    });
    const format =
      '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{json .Config.Labels}} {{.Config.StopSignal}} {{.HostConfig.PidsLimit}}';
    const shown = await print(given, 'inspect', '-f', format, limited.name);
    assert.match(shown, /^67108864 500000000 \{.*"tier":"web".*\} (SIG)?(INT|2) 99\n$/);
  },

  'run -d prints the id and nothing else; stop, wait and rm print what they worked on': async (given) => {
    const { berth, host } = given;
    const name = `cli-detached-${process.pid}`;
    const { code, stdout, stderr } = await berth.run(
      ['run', '-d', '--name', name, 'busybox', 'sleep', '1000'],
      { host },
    );
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, ID);
    assert.equal(await print(given, 'ps', '-q', '--no-trunc', '--filter', `name=${name}`), stdout);
    assert.equal(await print(given, 'stop', '-t', '0', name), `${name}\n`);
    assert.equal(await print(given, 'wait', name), '137\n');
    assert.equal(await print(given, 'rm', name), `${name}\n`);
    const gone = await berth.run(['rm', name, 'and-another'], { host });
    assert.deepEqual([gone.code, gone.stdout], [1, '']);
    assert.match(gone.stderr, new RegExp(`^berth: .*${name}.*berth: .*and-another`, 's'));
  },

  'create makes a container that start starts; start -a shows it and ends with its exit code': async (
    given,
  ) => {
    const { berth, host } = given;
    const name = `cli-created-${process.pid}`;
    const cidfile = berth.join(`${name}.${given.engine}`);
    const command = ['busybox', 'sh', '-c', 'read line; echo got $line; exit 4'];
    const created = await print(given, 'create', '-i', '--name', name, '--cidfile', cidfile, ...command);
    try {
      assert.equal(`${await readFile(cidfile, 'utf8')}\n`, created);
      assert.equal(await print(given, 'inspect', '-f', '{{.State.Status}}', name), 'created\n');
      const ended = await berth.run(['start', '-ai', name], { host, input: 'this\n' });
      assert.deepEqual(ended, { code: 4, stdout: 'got this\n', stderr: '' });
      const again = await berth.run(['create', '--cidfile', cidfile, 'busybox'], { host });
      assert.equal(again.code, 125);
    } finally {
      await remove(given, name);
      await rm(cidfile, { force: true });
    }
  },

  'signals are passed on to the container': async (given) => {
    const script = 'trap "echo caught; exit 9" TERM; echo ready; while :; do sleep 0.05; done';
    const run = begin(given, 'run', '--rm', 'busybox', 'sh', '-c', script);
    await run.printed('ready');
    run.child.kill('SIGTERM');
    assert.deepEqual(await run.ended, { code: 9, stdout: 'ready\ncaught\n', stderr: '' });
  },

  '--sig-proxy=false keeps signals here: Ctrl-C ends the command, not the container': async (given) => {
    const name = `cli-kept-${process.pid}`;
    const run = begin(
      given,
      'run',
      '--sig-proxy=false',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'echo up; sleep 1000',
    );
    try {
      await run.printed('up');
      run.child.kill('SIGINT');
      assert.deepEqual(await run.ended, { code: 130, stdout: 'up\n', stderr: '' });
      assert.equal(await print(given, 'inspect', '-f', '{{.State.Running}}', name), 'true\n');
    } finally {
      await remove(given, name);
    }
  },

  'attach shows what comes from then on, and ends with the exit code': async (given) => {
    const script = 'read line; echo $line; exit 3';
    await using container = await containerOf(given, { flags: ['-i'], command: ['sh', '-c', script] });
    const attached = begin(given, 'attach', container.name);
    attached.child.stdin?.write('hello\n');
    assert.deepEqual(await attached.ended, { code: 3, stdout: 'hello\n', stderr: '' });
    const { code, stderr } = await given.berth.run(['attach', container.name], { host: given.host });
    assert.equal(code, 1);
    assert.match(stderr, /it is exited/);
  },

  'kill sends the signal that is named': async (given) => {
    const script = 'trap "exit 5" USR1; echo set; while :; do sleep 0.05; done';
    await using container = await containerOf(given, { command: ['sh', '-c', script] });
    const logs = begin(given, 'logs', '-f', container.name);
    await logs.printed('set');
    assert.equal(await print(given, 'kill', '-s', 'USR1', container.name), `${container.name}\n`);
    assert.equal(await print(given, 'wait', container.name), '5\n');
    assert.equal((await logs.ended).code, 0);
  },

  'restart starts it anew': async (given) => {
    await using container = await containerOf(given);
    const started = () => print(given, 'inspect', '-f', '{{.State.StartedAt}}', container.name);
    const before = await started();
    assert.equal(await print(given, 'restart', '-t', '0', container.name), `${container.name}\n`);
    assert.notEqual(await started(), before);
  },
};

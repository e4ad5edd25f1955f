import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type Behaviours, begin, containerOf, print } from './given.ts';
import { sharesTerminal } from './shell.ts';

/** `exec`. */
export const executing: Behaviours = {
  "exec ends with the program's exit code, and prints what it printed": async (given) => {
    const { berth, host } = given;
    await using container = await containerOf(given);
    const script = 'echo out; echo err >&2; exit 7';
    const ended = await berth.run(['exec', container.name, 'sh', '-c', script], { host });
    assert.deepEqual(ended, { code: 7, stdout: 'out\n', stderr: 'err\n' });
    const spelled = await berth.run(['container', 'exec', container.name, 'echo', '-n', '--it'], { host });
    assert.deepEqual(spelled, { code: 0, stdout: '--it', stderr: '' });
  },

  'what is piped into exec -i reaches the program, and so does its end; without -i there is nothing': async (
    given,
  ) => {
    const { berth, host } = given;
    await using container = await containerOf(given);
    const big = `${'x'.repeat(99)}\n`.repeat(5_000);
    const program = [container.name, 'sh', '-c', 'cat; echo done >&2'];
    const ended = await berth.run(['exec', '-i', ...program], { host, input: big });
    assert.equal(ended.stdout, big);
    assert.deepEqual([ended.code, ended.stderr], [0, 'done\n']);
    const without = await berth.run(['exec', ...program], { host, input: big });
    assert.deepEqual(without, { code: 0, stdout: '', stderr: 'done\n' });
  },

  'exec takes environment, directory and user': async (given) => {
    const { berth, host } = given;
    await using container = await containerOf(given, { flags: ['-e', 'OWN=1'] });
    const file = berth.join(`exec-env.${given.engine}`);
    await writeFile(file, '# a comment\nFILED=f\n  PASSED\n\n');
    const script = 'echo $OWN $A $FILED $PASSED $(pwd) $(id -u):$(id -g)';
    const flags = ['-e', 'A=b', '--env-file', file, '-w', '/tmp', '-u', '1:2'];
    const ended = await berth.run(['exec', ...flags, container.name, 'sh', '-c', script], {
      host,
      env: { PASSED: 'on' },
    });
    assert.deepEqual(ended, { code: 0, stdout: '1 b f on /tmp 1:2\n', stderr: '' });
  },

  'exec ends with 126 or 127 for a program that can not be run, and with 125 where the engine refuses':
    async (given) => {
      const { berth, host, engine } = given;
      await using container = await containerOf(given);
      const exec = async (...args: string[]) => await berth.run(['exec', ...args], { host });
      for (const [program, code] of [
        ['no-such-program', 127],
        ['/etc', 126],
      ] as const) {
        const ended = await exec(container.name, program);
        // docker 20.10 answers 126 for both.
        assert.equal(ended.code, engine === 'dockerd' ? 126 : code, ended.stderr);
        if (engine !== 'podman') {
          const detached = await exec('-d', container.name, program);
          assert.deepEqual([detached.code, detached.stdout], [code, ''], detached.stderr);
        }
      }
      for (const [args, words] of [
        [['no-such-container', 'true'], /no such container/i],
        [['-it', container.name, 'sh'], /not a TTY/],
        [[container.name], /takes at least 2 arguments/],
        [['--no-such-flag', container.name, 'sh'], /unknown flag --no-such-flag/],
        [['--env-file', '/no/such/file', container.name, 'sh'], /\/no\/such\/file/],
      ] as const) {
        const ended = await exec(...args);
        assert.deepEqual([ended.code, ended.stdout], [125, ''], ended.stderr);
        assert.match(ended.stderr, words);
      }
    },

  'exec -d prints nothing, and the program goes on': async (given) => {
    const { berth, host } = given;
    await using container = await containerOf(given);
    const script = 'echo > /begun; sleep 1000';
    const ended = await berth.run(['exec', '-d', container.name, 'sh', '-c', script], { host });
    assert.deepEqual(ended, { code: 0, stdout: '', stderr: '' });
    const wait = 'until [ -e /begun ]; do sleep 0.02; done; echo there';
    assert.equal(await print(given, 'exec', container.name, 'sh', '-c', wait), 'there\n');
  },

  'Ctrl-C on an exec without a terminal ends the command, and the program goes on': async (given) => {
    await using container = await containerOf(given);
    const script = 'echo up; until [ -e /go ]; do sleep 0.02; done; echo > /done';
    const exec = begin(given, 'exec', container.name, 'sh', '-c', script);
    await exec.printed('up');
    exec.child.kill('SIGINT');
    assert.deepEqual(await exec.ended, { code: 130, stdout: 'up\n', stderr: '' });
    const wait = 'echo > /go; until [ -e /done ]; do sleep 0.02; done; echo there';
    assert.equal(await print(given, 'exec', container.name, 'sh', '-c', wait), 'there\n');
  },

  'exec -it gives a terminal of the same size, which follows ours, and ours is as before when it ends':
    async (given) => {
      await using container = await containerOf(given);
      await sharesTerminal(given, `$B exec -it ${container.name} sh`);
    },
};

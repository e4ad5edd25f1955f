import assert from 'node:assert/strict';
import test from 'node:test';
import { createFields } from '../engine/api/create.ts';
import { BerthError } from '../engine/api/errors.ts';
import { operations } from '../engine/api/operations.ts';
import type { Flags } from './command.ts';
import { parseTyped } from './parse.ts';

const runFlags: Flags = {
  ...createFields,
  detach: { type: 'boolean', summary: '', short: 'd' },
  sigProxy: { type: 'boolean', summary: '', default: true },
};
const run = (...typed: string[]) => parseTyped(typed, runFlags, { name: 'run', argsEndFlags: true });
const ps = (...typed: string[]) => parseTyped(typed, operations.containerList.query, { name: 'ps' });

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert(error instanceof BerthError);
    assert.equal(error.code, 'usage');
    assert.match(error.hint ?? '', /^berth \w+ --help$/);
    return error.message;
  }
  throw new assert.AssertionError({ message: 'it was taken' });
}

test('one-letter flags stand alone, in clusters, and with their values', () => {
  assert.deepEqual({ ...run('-itd', 'x').flags }, { interactive: true, tty: true, detach: true });
  assert.deepEqual({ ...run('-itm64m', 'x').flags }, { interactive: true, tty: true, memory: 64 * 2 ** 20 });
  assert.deepEqual({ ...run('-ite', 'A=b', 'x').flags }, { interactive: true, tty: true, env: ['A=b'] });
  assert.deepEqual({ ...run('-eA=b', '-e=C=d', '-e', '-x', 'x').flags }, { env: ['A=b', 'C=d', '-x'] });
});

test('long flags take their value after a space or an equals sign, empty ones included', () => {
  assert.deepEqual(run('--memory=64m', 'x').flags, run('--memory', '64m', 'x').flags);
  assert.deepEqual({ ...run('--entrypoint', '', '--workdir=', 'x').flags }, { entrypoint: '', workdir: '' });
  assert.deepEqual({ ...run('--env=A=B=C', 'x').flags }, { env: ['A=B=C'] });
});

test('booleans take a value only after an equals sign', () => {
  assert.deepEqual(run('--rm', 'false', 'x'), { flags: { rm: true }, args: ['false', 'x'] });
  assert.deepEqual(
    { ...run('--rm=false', '--sig-proxy=0', '--tty=T', 'x').flags },
    { rm: false, sigProxy: false, tty: true },
  );
  assert.match(
    refusal(() => run('--rm=maybe', 'x')),
    /'maybe' for --rm: expected true or false/,
  );
});

test("a container's own arguments are not looked at", () => {
  const line = ['ls', '-la', '--rm', '--', '-it', '--no-such', '-e'];
  assert.deepEqual(run('-i', 'busybox', ...line), {
    flags: { interactive: true },
    args: ['busybox', ...line],
  });
  assert.deepEqual(run('-i', '--', 'busybox', '-i').args, ['busybox', '-i']);
});

test('elsewhere flags may follow arguments, and -- ends them', () => {
  const stop = (...typed: string[]) => parseTyped(typed, operations.containerStop.query, { name: 'stop' });
  assert.deepEqual(stop('web', '-t', '5', 'db'), { flags: { timeout: 5 }, args: ['web', 'db'] });
  assert.deepEqual(stop('--', '-t').args, ['-t']);
});

test('the last of a repeated flag counts, lists and filters add up', () => {
  assert.equal(run('--name', 'aa', '--name', 'bb', 'x').flags.name, 'bb');
  assert.deepEqual(run('-l', 'a=1', '--label=b', 'x').flags.label, ['a=1', 'b']);
  assert.deepEqual(ps('-f', 'status=exited', '--filter', 'label=a=b', '-f', 'STATUS=dead').flags.filter, {
    status: ['exited', 'dead'],
    label: ['a=b'],
  });
});

test('unknown flags are refused, with the nearest one', () => {
  assert.match(
    refusal(() => run('--nmae', 'x')),
    /unknown flag --nmae for berth run; did you mean --name\?/,
  );
  assert.match(
    refusal(() => run('-z', 'x')),
    /unknown flag -z for berth run$/,
  );
  assert.match(
    refusal(() => run('-itz', 'x')),
    /unknown flag -z/,
  );
  assert.match(
    refusal(() => run('--env.a', 'x')),
    /unknown flag --env\.a/,
  );
  assert.match(
    refusal(() => run('--e', 'A=b', 'x')),
    /unknown flag --e /,
  );
});

test('values are checked against their fields', () => {
  assert.match(
    refusal(() => run('--memory', 'lots', 'x')),
    /'lots' for --memory: expected a size/,
  );
  assert.match(
    refusal(() => run('-m', '1k', 'x')),
    /'1k' for -m: expected at least 6m/,
  );
  assert.match(
    refusal(() => run('--cpus', '-1', 'x')),
    /--cpus: expected at least/,
  );
  assert.match(
    refusal(() => run('--name', '../x', 'x')),
    /--name/,
  );
  assert.match(
    refusal(() => run('--name')),
    /--name needs a value: NAME/,
  );
  assert.match(
    refusal(() => ps('-f', 'status')),
    /'status' for -f: expected KEY=VALUE/,
  );
  assert.match(
    refusal(() => ps('-n', '1.5')),
    /-n: expected a whole number/,
  );
});

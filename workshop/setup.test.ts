import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT } from './sources.ts';
import { tempRoot } from './testing/temp.ts';

/** The set-up on a machine where uname(1) says this. */
async function setUpWhere(machine: { readonly s?: string; readonly r?: string; readonly m?: string }) {
  await using root = await tempRoot('setup');
  const { s = 'Linux', r = '6.1.0-18-amd64', m = 'x86_64' } = machine;
  const uname = root.join('uname');
  await writeFile(
    uname,
    `#!/bin/sh\ncase $1 in -s) echo '${s}' ;; -r) echo '${r}' ;; -m) echo '${m}' ;; esac\n`,
  );
  await chmod(uname, 0o755);
  const env = { ...process.env, PATH: `${root.path}:${process.env.PATH}` };
  const script = join(ROOT, 'workshop/setup.sh');
  // A job that does not exist ends it right after the look at the machine.
  const { status, stdout, stderr } = spawnSync('sh', [script, 'nothing'], { env, encoding: 'utf8' });
  return { status, stdout, stderr: stderr.trim() };
}

test('a machine that is not Linux is refused, and told why', async () => {
  const { status, stdout, stderr } = await setUpWhere({ s: 'Darwin' });
  assert.match(stderr, /^Berth runs containers on Linux's kernel, and this is Darwin\./);
  assert.deepEqual([status, stdout], [1, '']);
});

test('a kernel that is too old is refused, and named', async () => {
  const { status, stderr } = await setUpWhere({ r: '4.19.0-27-amd64' });
  assert.equal(stderr, 'Berth needs Linux 5.10 or later, and this is 4.19.0-27-amd64: too old.');
  assert.equal(status, 1);
});

test('kernels are compared by number, not by letter', async () => {
  for (const r of ['5.10.0', '5.10.0-30-amd64', '6.1.0-18-amd64', '10.2.1']) {
    assert.equal((await setUpWhere({ r })).stderr, 'no such job: nothing', r);
  }
});

test('a processor without a Node of ours is refused', async () => {
  const { status, stderr } = await setUpWhere({ m: 'riscv64' });
  assert.equal(stderr, 'Berth runs on x86_64 and aarch64, and this is riscv64.');
  assert.equal(status, 1);
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { runProgram } from './programs.ts';
import { startProgram } from './spawn.ts';

test('a program gets its arguments, its input and its directory, and its output comes back', async () => {
  await using root = await tempRoot('programs');
  const script = 'pwd; echo "$1"; cat';
  const output = await runProgram('sh', ['-c', script, 'sh', "it's $HOME"], {
    input: 'in\n',
    cwd: root.path,
  });
  assert.equal(output, `${root.path}\nit's $HOME\nin\n`);
});

test('what a program says is read whole while it reads what it is given', async () => {
  const input = 'line of some length\n'.repeat(50_000);
  assert.equal(await runProgram('cat', [], { input }), input);
});

test('a program that fails is an error with its last words', async () => {
  await assert.rejects(runProgram('sh', ['-c', 'echo first; echo broken >&2; exit 3']), {
    code: 'internal',
    message: 'sh -c failed: broken',
  });
  await assert.rejects(runProgram('sh', ['-c', 'kill -9 $$']), { message: 'sh -c failed: exit code 137' });
  await assert.rejects(runProgram('no-such-program', []), { code: 'unavailable' });
  await assert.rejects(runProgram('/no/such/program', []), { code: 'unavailable' });
});

test('a program that is cancelled ends, and one that never stops talking too', async () => {
  const cancel = new AbortController();
  const running = runProgram('sleep', ['1000'], { signal: cancel.signal });
  cancel.abort();
  await assert.rejects(running, { code: 'cancelled' });
  await assert.rejects(runProgram('yes', []), /yes {2}failed: exit code 143/);
});

test('a program has no descriptors but its own, default signals, and leaves no zombie and no descriptor', async () => {
  const before = readdirSync('/proc/self/fd').length;
  // What this process got from the one that started it goes on to every child.
  const inherited = readdirSync('/proc/self/fdinfo').filter((fd) => Number(fd) > 2 && !closesOnExec(fd));
  const { pid, pipes, ended } = startProgram('/bin/sh', {
    args: ['-c', 'ls /proc/self/fd; cat /proc/self/status >&3; cat'],
    pipes: { 0: 'write', 1: 'read', 3: 'read' },
    detached: true,
  });
  const read = async (fd: number) => {
    const chunks: Buffer[] = [];
    for await (const chunk of pipes.get(fd) ?? []) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  assert.equal(
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3],
    String(pid),
    'its own session',
  );
  const status = read(3);
  pipes.get(0)?.end();
  // ls itself has one more open: the directory that it lists.
  assert.equal((await read(1)).split('\n').filter(Boolean).length, 5 + inherited.length);
  assert.match(await status, /^SigBlk:\s0{16}$/m);
  // 32 and up are the C library's own and real-time signals.
  assert.match(await status, /^SigIgn:\s[0-9a-f]{9}0{7}$/m);
  assert.equal(await ended, 0);
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  assert.ok(readdirSync('/proc/self/fd').length <= before);
});

function closesOnExec(fd: string): boolean {
  const O_CLOEXEC = 0o2000000;
  try {
    const flags = /^flags:\s(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return (Number.parseInt(flags ?? '0', 8) & O_CLOEXEC) !== 0;
  } catch {
    // The descriptor by which the directory was listed.
    return true;
  }
}

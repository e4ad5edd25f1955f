import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test, { after } from 'node:test';
import { startEngine } from '../workshop/testing/engine.ts';
import { MAX_RESULT_TOKENS, tokensOf } from './budget.ts';
import { type Answer, openSession, type Session } from './testing/session.ts';

/** What containers wrote, and how much of it is shown. */
const resources = new AsyncDisposableStack();
after(() => resources.disposeAsync());
const engine = resources.use(await startEngine());
const session = resources.use(await openSession({ host: engine.host }));

/** Bytes of the result as a client gets it. */
const resultTokens = ({ text, data }: Answer) =>
  tokensOf({ content: [{ type: 'text', text }], structuredContent: data });

async function run(script: string, more: Record<string, unknown> = {}): Promise<Answer> {
  const args = { image: 'busybox', command: ['sh', '-c', script], network: 'none', ...more };
  const answer = await session.call('container_run', args);
  assert.equal(answer.isError, false, answer.text);
  return answer;
}

/** Most memory that the server ever held, in bytes. */
async function peakMemory({ pid }: Session): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

test('the end of a long output is shown, within the limit, and the whole of it can be read in pages', async () => {
  const count = 3000;
  const ran = await run(`seq 1 ${count} | sed 's/^/line /'`);
  assert.equal(ran.data.truncated, true);
  assert.ok(String(ran.data.stdout).endsWith(`line ${count}\n`));
  assert.match(String(ran.data.stdout), /^line \d+\n/);
  assert.match(ran.text, /container_logs .* has more\]$/);
  assert.ok(resultTokens(ran) <= MAX_RESULT_TOKENS, String(resultTokens(ran)));

  const pages: string[][] = [];
  let cursor: string | undefined;
  do {
    const page = await session.call('container_logs', {
      container: ran.data.id,
      tail: 5000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    assert.equal(page.isError, false, page.text);
    assert.ok(resultTokens(page) <= MAX_RESULT_TOKENS, String(resultTokens(page)));
    pages.unshift(String(page.data.log).split('\n'));
    cursor = page.data.cursor as string | undefined;
    assert.equal(page.data.truncated, cursor !== undefined);
  } while (cursor !== undefined);
  assert.deepEqual(
    pages.flat(),
    Array.from({ length: count }, (_, at) => `line ${at + 1}`),
  );
});

test('as many lines as asked for come back, and what was written since then', async () => {
  const { data } = await run('echo one; echo two; echo three');
  const last = await session.call('container_logs', { container: data.id, tail: 2 });
  assert.deepEqual([last.data.log, last.data.lines, last.data.truncated], ['two\nthree', 2, true]);
  const newer = await session.call('container_logs', { container: data.id, since: last.data.newest });
  assert.deepEqual([newer.data.log, newer.data.lines, newer.data.truncated], ['', 0, false]);
  assert.equal(newer.text, 'no output');
  const all = await session.call('container_logs', { container: data.id, tail: 3 });
  assert.deepEqual([all.data.log, all.data.truncated], ['one\ntwo\nthree', false]);
});

test('both streams are shown where both are long', async () => {
  const { data } = await run('seq 1 20000; seq 1 20000 | sed s/^/e/ >&2');
  assert.match(String(data.stdout), /20000\n$/);
  assert.match(String(data.stderr), /e20000\n$/);
  assert.equal(data.truncated, true);
  assert.ok(String(data.stderr).length > 5000 && String(data.stdout).length > 5000);
});

test('output that costs more on the wire than it looks stays within the limit', async () => {
  for (const script of [
    `yes '"""""""""' | head -n 5000`,
    `yes '\\\\\\\\' | head -n 5000`,
    'yes 日本語 | head -n 9000',
    'yes "" | head -n 30000',
  ]) {
    const ran = await run(script, { rm: true });
    assert.ok(resultTokens(ran) <= MAX_RESULT_TOKENS, `${script}: ${resultTokens(ran)}`);
    assert.ok(resultTokens(ran) > MAX_RESULT_TOKENS / 4, `${script}: ${resultTokens(ran)}`);
  }
});

test('colours and control characters are left out, bytes that are no UTF-8 do no harm', async () => {
  const { data } = await run(String.raw`printf '\033[31mred\033[0m\a\r\n\377\376\n'`, { rm: true });
  assert.equal(data.stdout, 'red\n\ufffd\ufffd\n');
});

test('a log of 120 MB leaves the memory flat', async () => {
  const line = `$(printf '%0999d' 7)`;
  const { data } = await run(`yes "${line}" | head -n 120000; echo the end`);
  assert.equal(data.truncated, true);
  const before = await peakMemory(session);
  const last = await session.call('container_logs', { container: data.id });
  assert.match(String(last.data.log), /the end$/);
  // With a cursor, all that lies before is read through.
  const older = await session.call('container_logs', { container: data.id, cursor: last.data.cursor });
  assert.equal(older.isError, false, older.text);
  assert.ok(Number(older.data.lines) > 5);
  const grown = (await peakMemory(session)) - before;
  assert.ok(grown < 80e6, `${Math.round(grown / 1e6)} MB more`);
});

test('a line of 20 MB is cut', async () => {
  const { data } = await run('head -c 20000000 /dev/zero | tr "\\0" x; echo; echo after');
  assert.equal(data.truncated, true);
  assert.match(String(data.stdout), /after\n$/);
  const { data: read } = await session.call('container_logs', { container: data.id });
  assert.match(String(read.log), /after$/);
  assert.equal(read.truncated, true);
});

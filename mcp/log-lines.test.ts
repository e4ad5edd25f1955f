import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeFrame } from '../engine/api/multiplex.ts';
import { CONTENT_BYTES } from './budget.ts';
import { keepTail, type RawLine, readLogLines } from './log-lines.ts';

async function* pieces(...chunks: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function read(
  log: AsyncIterable<Buffer>,
  options: { readonly tty?: boolean; readonly timestamps?: boolean } = {},
): Promise<readonly RawLine[]> {
  const lines: RawLine[] = [];
  await readLogLines(log, { tty: false, timestamps: false, ...options }, (line) => lines.push(line));
  return lines;
}

async function readTimed(log: AsyncIterable<Buffer>) {
  const kept = keepTail({ maxLines: 100, maxBytes: 10_000, timestamps: true });
  await readLogLines(log, { tty: false, timestamps: true }, kept.push);
  return kept.finish().lines;
}

const frame = (stream: 'stdout' | 'stderr', text: string) => encodeFrame(stream, Buffer.from(text));

test('lines are put together across frames, each stream for itself', async () => {
  const log = pieces(
    frame('stdout', 'on'),
    frame('stderr', 'err'),
    frame('stdout', 'e\ntwo\nthr'),
    frame('stdout', 'ee'),
  );
  assert.deepEqual(
    (await read(log)).map(({ stream, bytes }) => [stream, `${bytes}`]),
    [
      ['stdout', 'one'],
      ['stdout', 'two'],
      ['stdout', 'three'],
      ['stderr', 'err'],
    ],
  );
});

test('a character that two chunks share stays whole', async () => {
  const bytes = Buffer.from('日本\n');
  assert.deepEqual(
    (await read(pieces(bytes.subarray(0, 2), bytes.subarray(2)), { tty: true }))[0]?.bytes.toString(),
    '日本',
  );
});

test('the time before a line is taken off it', async () => {
  const log = pieces(
    frame('stdout', '2026-01-31T08:00:00.123456789Z hello 2026\n'),
    frame('stdout', 'no time\n'),
  );
  assert.deepEqual(
    (await readTimed(log)).map(({ time, text }) => [time, text]),
    [
      ['2026-01-31T08:00:00.123456789Z', 'hello 2026'],
      [undefined, 'no time'],
    ],
  );
});

test('the time before each piece of a long line is taken off too', async () => {
  const log = pieces(
    frame('stdout', '2026-01-31T08:00:00.1Z aaa'),
    frame('stdout', '2026-01-31T08:00:00.2Z bbb\n'),
  );
  assert.deepEqual(
    (await readTimed(log)).map(({ text }) => text),
    ['aaabbb'],
  );
});

test('a line without an end is cut', async () => {
  async function* endless(): AsyncGenerator<Buffer> {
    for (let at = 0; at < 1000; at += 1) yield Buffer.alloc(64 * 1024, 'x');
  }
  const before = process.memoryUsage().rss;
  const [line] = await read(endless(), { tty: true });
  assert.equal(line?.bytes.length, CONTENT_BYTES);
  assert.equal(line?.cut, true);
  assert.ok(process.memoryUsage().rss - before < 50e6);
});

test('the newest lines are kept, within both limits', () => {
  const tailOf = (texts: readonly string[], maxLines: number, maxBytes: number) => {
    const kept = keepTail({ maxLines, maxBytes, timestamps: false });
    for (const text of texts) kept.push({ stream: 'stdout', bytes: Buffer.from(text), cut: false });
    const { lines, dropped } = kept.finish();
    return [lines.map(({ text }) => text), dropped];
  };
  assert.deepEqual(tailOf(['a', 'b', 'c'], 2, 1000), [['b', 'c'], true]);
  assert.deepEqual(tailOf(['aaaa', 'bbbb'], 10, 10), [['bbbb'], true]);
  assert.deepEqual(tailOf(['aaaa', 'x'.repeat(100)], 10, 10), [['x'.repeat(100)], true]);
  assert.deepEqual(tailOf(['a', 'b', 'c'], 3, 1000), [['a', 'b', 'c'], false]);
  assert.deepEqual(tailOf(['\x1b[31ma\x1b[0m', '\x1b[31mb\x1b[0m'], 3, 8), [['a', 'b'], false]);
});

test('a time that a program wrote itself is its own', () => {
  const kept = keepTail({ maxLines: 9, maxBytes: 1000, timestamps: false });
  kept.push({ stream: 'stdout', bytes: Buffer.from('2026-01-31T08:00:00Z started'), cut: false });
  assert.deepEqual(kept.finish().lines, [{ time: undefined, text: '2026-01-31T08:00:00Z started' }]);
});

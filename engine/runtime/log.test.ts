import assert from 'node:assert/strict';
import { appendFile, rm, writeFile } from 'node:fs/promises';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { type LogWindow, readLog } from './log.ts';
import { openLog } from './log-file.ts';
import { framesOf, parseRecord, timeOf } from './log-record.ts';

const line = (second: number, text: string, tag = 'F', stream = 'stdout') =>
  `2026-01-02T03:04:${String(second).padStart(2, '0')}.000000001+00:00 ${stream} ${tag} ${text}\n`;

async function read(text: string, window: LogWindow): Promise<string> {
  await using root = await tempRoot('log');
  const path = root.join('container.log');
  await writeFile(path, text);
  const file = openLog(path);
  try {
    const parts: string[] = [];
    const options = { timestamps: false, within: { stdout: false, stderr: false } };
    for await (const records of readLog(file, window)) {
      for (const { data } of framesOf(records, options)) parts.push(data.toString());
    }
    return parts.join('');
  } finally {
    file.close();
  }
}

test('a record keeps its bytes, its stream and all nine digits of its time', () => {
  const record = parseRecord(Buffer.from('2026-01-02T05:04:05.123456789+02:00 stderr P a  b '));
  const time = record === undefined ? undefined : timeOf(record);
  assert.equal(time?.text, '2026-01-02T03:04:05.123456789Z');
  assert.equal(time?.nano, BigInt(Date.UTC(2026, 0, 2, 3, 4, 5)) * 1_000_000n + 123_456_789n);
  assert.deepEqual([record?.stream, record?.full, record?.data.toString()], ['stderr', false, 'a  b ']);
});

test('an empty line is a record, and a line that conmon did not write is none', () => {
  assert.equal(parseRecord(Buffer.from('2026-01-02T03:04:05.000000001Z stdout F '))?.data.length, 0);
  for (const odd of ['', 'hello', '2026 stdout Q x', '2026-01-02T03:04:05.000000001Z stdin F x']) {
    assert.equal(parseRecord(Buffer.from(odd)), undefined, odd);
  }
});

test('pieces of a line are put together without a newline between them', async () => {
  assert.equal(await read(line(1, 'one ', 'P') + line(1, 'two') + line(2, 'last', 'P'), {}), 'one two\nlast');
});

test('tail counts lines from the end, over more than one buffer', async () => {
  const lines = Array.from({ length: 3000 }, (_unused, index) =>
    line(index % 60, `number ${index} ${'x'.repeat(40)}`),
  );
  for (const tail of [0, 1, 2, 999, 2999, 3000, 5000]) {
    const found = (await read(lines.join(''), { tail })).split('\n').filter((text) => text !== '');
    assert.equal(found.length, Math.min(tail, 3000), `tail ${tail}`);
    if (tail > 0) assert.match(found.at(-1) ?? '', /^number 2999 /);
    if (tail > 0) assert.match(found[0] ?? '', new RegExp(`^number ${Math.max(0, 3000 - tail)} `));
  }
});

test('tail takes a line in pieces as one line', async () => {
  const text = line(1, 'first') + line(2, 'a', 'P') + line(2, 'b') + line(3, 'c', 'P');
  assert.equal(await read(text, { tail: 1 }), 'c');
  assert.equal(await read(text, { tail: 2 }), 'ab\nc');
});

test('since and until keep what lies between them', async () => {
  const at = (second: number) => BigInt(Date.UTC(2026, 0, 2, 3, 4, second)) * 1_000_000n;
  const text = [1, 2, 3, 4].map((second) => line(second, String(second))).join('');
  assert.equal(await read(text, { since: at(2), until: at(4) }), '2\n3\n');
});

test('neighbours on one stream are one frame, and only the beginning of a line has the time', () => {
  const lines = [line(1, 'a'), line(1, 'b', 'P'), line(2, 'x', 'F', 'stderr'), line(3, 'c')];
  const records = lines.flatMap((text) => parseRecord(Buffer.from(text.trimEnd())) ?? []);
  const frames = (timestamps: boolean) =>
    framesOf(records, { timestamps, within: { stdout: false, stderr: false } }).map(
      ({ stream, data }) => `${stream} ${data}`,
    );
  assert.deepEqual(frames(false), ['stdout a\nb', 'stderr x\n', 'stdout c\n']);
  const at = (second: number) => `2026-01-02T03:04:0${second}.000000001Z`;
  assert.deepEqual(frames(true), [`stdout ${at(1)} a\n${at(1)} b`, `stderr ${at(2)} x\n`, 'stdout c\n']);
});

test('following gives what is written later, and ends when the container has ended and all is read', async () => {
  await using root = await tempRoot('log');
  const path = root.join('container.log');
  await writeFile(path, line(1, 'before'));
  const file = openLog(path);
  const ended = Promise.withResolvers<void>();
  const follow = { ended: ended.promise, signal: new AbortController().signal };
  const seen: string[] = [];
  await Promise.all([
    (async () => {
      for await (const [record] of readLog(file, { from: file.size(), follow })) {
        seen.push(record?.data.toString() ?? '');
        if (seen.length > 1) continue;
        // Written before the end is told, so it must not be lost.
        await appendFile(path, line(3, 'second'));
        ended.resolve();
      }
    })(),
    appendFile(path, line(2, 'first')),
  ]);
  file.close();
  assert.deepEqual(seen, ['first', 'second']);
});

test('a log that was removed before its first read is read to the end', async () => {
  await using root = await tempRoot('log');
  const path = root.join('container.log');
  await writeFile(path, line(1, 'last words'));
  const file = openLog(path);
  await rm(path);
  const follow = { ended: Promise.resolve(), signal: new AbortController().signal };
  const seen: string[] = [];
  for await (const records of readLog(file, { follow }))
    seen.push(...records.map(({ data }) => data.toString()));
  file.close();
  assert.deepEqual(seen, ['last words']);
});

test('following stops when its reader goes away', async () => {
  await using root = await tempRoot('log');
  const path = root.join('container.log');
  await writeFile(path, line(1, 'only'));
  const file = openLog(path);
  const reader = new AbortController();
  const never = new Promise(() => undefined);
  const seen: string[] = [];
  for await (const [record] of readLog(file, { follow: { ended: never, signal: reader.signal } })) {
    seen.push(record?.data.toString() ?? '');
    setImmediate(() => reader.abort());
  }
  file.close();
  assert.deepEqual(seen, ['only']);
});

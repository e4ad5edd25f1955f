import assert from 'node:assert/strict';
import { appendFile, link, open, rename, rm, writeFile } from 'node:fs/promises';
import test from 'node:test';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { type Follow, type LogWindow, readLog } from './log.ts';
import { openLog, rotatedName } from './log-file.ts';
import { framesOf, parseRecord, timeOf } from './log-record.ts';

const line = (second: number, text: string, tag = 'F', stream = 'stdout') =>
  `2026-01-02T03:04:${String(second).padStart(2, '0')}.000000001+00:00 ${stream} ${tag} ${text}\n`;

const nothing: Disposable = { [Symbol.dispose]: () => undefined };
const never: Follow['onEnd'] = () => nothing;
const endWith =
  (promise: Promise<unknown>): Follow['onEnd'] =>
  (end) => {
    void promise.then(end);
    return nothing;
  };

/** What a window shows of a log; of several texts the first ones were rotated away, the oldest first. */
async function read(text: string | readonly string[], window: LogWindow): Promise<string> {
  await using root = await tempRoot('log');
  const path = root.join('container.log');
  const texts = typeof text === 'string' ? [text] : text;
  for (const [index, part] of texts.entries())
    await writeFile(rotatedName(path, texts.length - 1 - index), part);
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
  const follow = { onEnd: endWith(ended.promise), signal: new AbortController().signal };
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
  const follow = { onEnd: endWith(Promise.resolve()), signal: new AbortController().signal };
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
  const seen: string[] = [];
  for await (const [record] of readLog(file, { follow: { onEnd: never, signal: reader.signal } })) {
    seen.push(record?.data.toString() ?? '');
    setImmediate(() => reader.abort());
  }
  file.close();
  assert.deepEqual(seen, ['only']);
});

test('the files that were rotated away are read as one with the one that grows', async () => {
  const files = [
    line(1, 'one') + line(2, 'two'),
    line(3, 'three') + line(4, 'fo', 'P'),
    line(4, 'ur') + line(5, 'five'),
  ];
  assert.equal(await read(files, {}), 'one\ntwo\nthree\nfour\nfive\n');
  for (const [tail, text] of [
    [1, 'five\n'],
    [2, 'four\nfive\n'],
    [4, 'two\nthree\nfour\nfive\n'],
    [9, 'one\ntwo\nthree\nfour\nfive\n'],
  ] as const)
    assert.equal(await read(files, { tail }), text, `tail ${tail}`);
  const since = BigInt(Date.UTC(2026, 0, 2, 3, 4, 2)) * 1_000_000n;
  assert.equal(await read(files, { since }), 'two\nthree\nfour\nfive\n');
});

test('since is found by halving, in whichever file it lies', async () => {
  const second = (number: number) =>
    Array.from({ length: 500 }, (_unused, index) =>
      line(number, `${number} ${index} ${'x'.repeat(60)}`),
    ).join('');
  const files = [
    [0, 1, 2, 3, 4, 5, 6, 7].map(second).join(''),
    [8, 9, 10, 11].map(second).join(''),
    [12, 13].map(second).join(''),
  ];
  for (const from of [0, 3, 8, 11, 13]) {
    const found = await read(files, { since: BigInt(Date.UTC(2026, 0, 2, 3, 4, from)) * 1_000_000n });
    assert.match(found, new RegExp(`^${from} 0 x`), `from ${from}`);
    assert.equal(found.split('\n').length - 1, (14 - from) * 500);
  }
  assert.equal(await read(files, { since: BigInt(Date.UTC(2026, 0, 2, 3, 5)) * 1_000_000n }), '');
});

test('the last lines of a large log are found without reading it', async () => {
  await using root = await tempRoot('log');
  const path = root.join('container.log');
  // A hole of a gigabyte: who reads it all takes seconds, and finds a line without an end.
  const end = Array.from({ length: 50 }, (_unused, index) => line(1, `last ${index}`)).join('');
  await using written = await open(path, 'w');
  await written.write(`\n${end}`, 2 ** 30);
  const file = openLog(path);
  let bytes = 0;
  const counted = {
    ...file,
    async read(buffer: Buffer, position: number) {
      const bytesRead = await file.read(buffer, position);
      bytes += bytesRead;
      return bytesRead;
    },
  };
  const seen: string[] = [];
  for await (const records of readLog(counted, { tail: 3 }))
    seen.push(...records.map(({ data }) => data.toString()));
  file.close();
  assert.deepEqual(seen, ['last 47', 'last 48', 'last 49']);
  assert.ok(bytes < 2 ** 18, `${bytes} bytes`);
});

/** What the engine and conmon do together: a second name for the file, and a new one under the first. */
async function rotate(path: string): Promise<void> {
  await rm(rotatedName(path, 2), { force: true });
  await rename(rotatedName(path, 1), rotatedName(path, 2)).catch(() => undefined);
  await link(path, rotatedName(path, 1));
  await writeFile(`${path}.tmp`, '');
  await rename(`${path}.tmp`, path);
}

test('a reader goes on into the next file, and one that keeps all misses none that was removed meanwhile', async () => {
  for (const keepsAll of [true, false]) {
    await using root = await tempRoot('log');
    const path = root.join('container.log');
    await writeFile(path, line(0, '0'));
    const file = openLog(path);
    const ended = Promise.withResolvers<void>();
    const follow = { onEnd: endWith(ended.promise), signal: new AbortController().signal, keepsAll };
    const seen: string[] = [];
    let slow = true;
    for await (const records of readLog(file, { follow })) {
      seen.push(...records.map(({ data }) => data.toString()));
      if (!slow) continue;
      slow = false;
      for (let number = 1; number < 8; number += 1) {
        await rotate(path);
        await appendFile(path, line(number, String(number)));
        // inotify's word goes through the event loop.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      ended.resolve();
    }
    file.close();
    const all = ['0', '1', '2', '3', '4', '5', '6', '7'];
    // Without holding on, what was removed before it was read is lost, and nothing else.
    assert.deepEqual(seen, keepsAll ? all : ['0', '5', '6', '7']);
  }
});

test('without following a log ends where it ended when it was asked for', async () => {
  await using root = await tempRoot('log');
  const path = root.join('container.log');
  await writeFile(path, line(1, 'one') + line(2, 'two'));
  for (const tail of [undefined, 1]) {
    const file = openLog(path);
    const seen: string[] = [];
    for await (const records of readLog(file, { tail })) {
      seen.push(...records.map(({ data }) => data.toString()));
      // A container that writes faster than it is read would go on for ever.
      await appendFile(path, line(3, 'later'));
    }
    file.close();
    assert.equal(seen.length, tail ?? 2, seen.join());
  }
});

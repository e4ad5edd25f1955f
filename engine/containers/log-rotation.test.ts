import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openTestContainers, type TestContainers } from '../../workshop/testing/containers.ts';
import type { Output } from './types.ts';

const both = { stdout: true, stderr: true };
const never = () => new AbortController().signal;

const ROUNDS = 4;
const LINES = 5_000;
/** Writes a number a line, in rounds that each wait to be told to begin. */
const SCRIPT = `i=0
for round in 1 2 3 4; do
  read go
  last=$((i + ${LINES}))
  while [ $i -lt $last ]; do echo $i; i=$((i + 1)); done
done`;
const ALL = Array.from({ length: ROUNDS * LINES }, (_unused, index) => `${index}\n`).join('');

async function textOf(output: Output): Promise<string> {
  const parts: Buffer[] = [];
  for await (const { data } of output) parts.push(data);
  return Buffer.concat(parts).toString();
}

/** A container that writes as fast as it can, whenever it is told to. */
async function writer(given: TestContainers, options: Readonly<Record<string, string>>, type = 'json-file') {
  const { containers } = given;
  const { Id: id } = await containers.create(
    {
      Image: 'busybox',
      Cmd: ['sh', '-c', SCRIPT],
      OpenStdin: true,
      HostConfig: { NetworkMode: 'none', LogConfig: { Type: type, Config: options } },
    },
    {},
  );
  await containers.start(id);
  const { input, close } = containers.attach(id, { stdin: true, stream: true });
  const directory = join(given.root, 'containers', id);
  let rounds = 0;
  const begin = () => input?.write('go\n');
  function files(): Readonly<Record<string, number>> {
    const names = readdirSync(directory).filter((name) => /^container\.log(\.\d+)?$/.test(name));
    return Object.fromEntries(names.sort().map((name) => [name, statSync(join(directory, name)).size]));
  }
  return {
    id,
    begin,
    /** Lets it write, and waits until all of it is in the log. */
    async round() {
      rounds += 1;
      begin();
      const last = `${rounds * LINES - 1}\n`;
      const read = () => textOf(given.containers.logs(id, { ...both, tail: 1 }, never()).output);
      while ((await read()) !== last) await delay(10);
    },
    /** Waits until what it wrote was put aside. */
    async rotated() {
      while ((files()['container.log'] ?? 0) >= 40_000) await delay(10);
    },
    ended: () => given.containers.wait(id, 'not-running', AbortSignal.timeout(60_000)),
    files,
    [Symbol.dispose]: close,
  };
}

/** Equal, without printing a hundred kilobytes where they are not. */
function same(actual: string, expected: string, what: string): void {
  const [got, wanted] = [actual.split('\n'), expected.split('\n')];
  const at = wanted.findIndex((line, index) => got[index] !== line);
  assert.equal(at < 0 ? '' : `line ${at} is ${got[at]} of ${got.length}`, '', what);
}

test('a log is rotated while it is followed and attached to, and neither misses a line', async () => {
  await using given = await openTestContainers();
  using made = await writer(given, { 'max-size': '40k', 'max-file': '3' });
  const attached = given.containers.attach(made.id, { ...both, stream: true });
  const follower = given.containers.logs(made.id, { ...both, follow: true }, never());
  const [seen, followed] = [textOf(attached.output), textOf(follower.output)];
  for (let round = 0; round < ROUNDS; round += 1) {
    await made.round();
    if (round < ROUNDS - 1) await made.rotated();
  }
  await made.ended();
  same(await seen, ALL, 'attached');
  same(await followed, ALL, 'followed');
  attached.close();
  const files = made.files();
  assert.deepEqual(Object.keys(files), ['container.log', 'container.log.1', 'container.log.2']);
  const kept = await textOf(given.containers.logs(made.id, both, never()).output);
  assert.ok(kept.length < ALL.length && ALL.endsWith(kept), 'the newest are kept, without a gap');
  const tail = await textOf(given.containers.logs(made.id, { ...both, tail: 3000 }, never()).output);
  assert.ok(kept.endsWith(tail));
  assert.equal(tail.split('\n').length - 1, Math.min(3000, kept.split('\n').length - 1));
});

test('while the engine is away a log only grows, and the next engine puts it aside', async () => {
  await using given = await openTestContainers();
  using made = await writer(given, { 'max-size': '40k', 'max-file': '100' });
  await made.round();
  await made.rotated();
  given.containers.close();
  await made.round();
  assert.ok((made.files()['container.log'] ?? 0) > 40_000);
  await given.reopen();
  await made.rotated();
  await made.round();
  await made.rotated();
  const follower = given.containers.logs(made.id, { ...both, follow: true }, never());
  const followed = textOf(follower.output);
  await made.round();
  await made.ended();
  same(await followed, ALL, 'followed');
  same(await textOf(given.containers.logs(made.id, both, never()).output), ALL, 'read');
});

test('with the driver none there is nothing to read, and who is attached gets everything', async () => {
  await using given = await openTestContainers();
  using made = await writer(given, {}, 'none');
  const attached = given.containers.attach(made.id, { ...both, stream: true });
  const seen = textOf(attached.output);
  for (let round = 0; round < ROUNDS; round += 1) made.begin();
  await made.ended();
  same(await seen, ALL, 'attached');
  attached.close();
  assert.throws(() => given.containers.logs(made.id, both, never()), {
    code: 'unsupported',
    message: 'configured logging driver does not support reading',
  });
  assert.ok((made.files()['container.log'] ?? 0) <= 3 * 2 ** 20);
});

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import test from 'node:test';
import { openTestContainers, type TestContainers } from '../../workshop/testing/containers.ts';
import { tarOf } from '../../workshop/testing/tar.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import { untar } from '../../workshop/testing/untar.ts';
import type { BerthError } from '../api/errors.ts';

const never = () => new AbortController().signal;

async function started(bench: TestContainers, script: string, more: object = {}): Promise<string> {
  const { containers } = bench;
  const { Id: id } = await containers.create({ Image: 'busybox', Cmd: ['sh', '-c', script], ...more }, {});
  await containers.start(id);
  return id;
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function all(archive: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Swaps a directory and links to the host's own tree for as long as it runs, without a pause. Where they lead there is
 * a directory inside too, so that an archive goes on until it meets the next of them.
 */
const swapping = (outside: string) =>
  `b=/bin/busybox; $b mkdir -p ${outside}; cd /tmp; echo ready >/ready
   while true; do
     $b ln -s ${outside} d; $b rm d; $b mkdir d; $b rm -rf d; $b ln -s ../../../../../../..${outside} d; $b rm d
   done`;

/** Entries whose directories are resolved anew, each. */
const manyEntries = (prefix: string) =>
  tarOf(
    Array.from({ length: 60 }, (_, index) => ({
      name: `${index % 2 === 0 ? prefix : ''}e${index}`,
      content: 'x',
    })),
  );

async function untilThere(bench: TestContainers, id: string, path: string): Promise<void> {
  for (;;) {
    try {
      await bench.containers.statPath(id, path, never());
      return;
    } catch (error) {
      if ((error as BerthError).code !== 'notFound') throw error;
    }
  }
}

test('a container that swaps a directory for a link to the host gets nothing written there', async () => {
  await using outside = await tempRoot('outside');
  await using bench = await openTestContainers();
  const id = await started(bench, swapping(outside.path));
  await untilThere(bench, id, '/ready');
  const deadline = Date.now() + 1_500;
  let puts = 0;
  while (puts < 8 || Date.now() < deadline) {
    puts += 1;
    for (const [path, body] of [
      ['/tmp', manyEntries('d/')],
      ['/tmp/d', manyEntries('sub/')],
    ] as const) {
      try {
        await bench.containers.writeArchive(id, { path }, once(body), never());
      } catch (error) {
        assert.match((error as BerthError).code, /^(invalid|notFound)$/, String(error));
      }
    }
    assert.deepEqual(readdirSync(outside.path), []);
  }
});

test('a container that swaps a directory for a link to the host shows nothing of it', async () => {
  await using outside = await tempRoot('outside');
  writeFileSync(outside.join('secret'), 'of the host');
  await using bench = await openTestContainers();
  const id = await started(bench, swapping(outside.path));
  await untilThere(bench, id, '/ready');
  const deadline = Date.now() + 1_500;
  for (let reads = 0; reads < 8 || Date.now() < deadline; reads += 1) {
    for (const path of ['/tmp', '/tmp/d/', '/tmp/d/secret']) {
      try {
        const { archive } = await bench.containers.readArchive(id, path, never());
        assert.ok(![...untar(await all(archive)).keys()].some((name) => name.includes('secret')), path);
      } catch (error) {
        assert.match((error as BerthError).code, /^(invalid|notFound)$/, String(error));
      }
    }
  }
});

test('a link to a device of the host is not opened, and a pipe holds nobody up', async () => {
  await using bench = await openTestContainers();
  const id = await started(
    bench,
    'busybox mkfifo /pipe; busybox ln -s /proc/1/root /up; echo x >/ready; sleep 1000',
  );
  await untilThere(bench, id, '/ready');
  const { archive } = await bench.containers.readArchive(id, '/pipe', never());
  assert.equal(untar(await all(archive)).get('pipe')?.flag, '6');
  await assert.rejects(bench.containers.readArchive(id, '/up/etc/shadow', never()), { name: 'BerthError' });
});

test('a slow reader holds up nobody, and one that goes away ends the work', async () => {
  await using bench = await openTestContainers();
  const id = await started(
    bench,
    'busybox dd if=/dev/zero of=/big bs=1M count=64 2>/dev/null; echo x >/ready; sleep 1000',
  );
  await untilThere(bench, id, '/ready');
  const gone = new AbortController();
  const before = process.memoryUsage().rss;
  const { archive } = await bench.containers.readArchive(id, '/big', gone.signal);
  const reading = archive[Symbol.asyncIterator]();
  await reading.next();
  // Another one is served meanwhile, and the thread has not run ahead of the reader.
  const other = await bench.containers.readArchive(id, '/ready', never());
  assert.equal(untar(await all(other.archive)).get('ready')?.content, 'x\n');
  assert.ok(process.memoryUsage().rss - before < 48 * 2 ** 20);
  gone.abort();
  await assert.rejects(
    async () => {
      for (;;) if ((await reading.next()).done) return;
    },
    { code: 'cancelled' },
  );
  // The container goes at once: nothing is kept open in it.
  await bench.containers.remove(id, { force: true });
});

test('a big tree goes by without holding up the engine', async () => {
  await using bench = await openTestContainers();
  const id = await started(
    bench,
    'busybox mkdir -p /t; cd /t; i=0; while [ $i -lt 1500 ]; do echo $i >f$i; i=$((i+1)); done; echo x >/ready; sleep 1000',
  );
  await untilThere(bench, id, '/ready');
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const tree = await all((await bench.containers.readArchive(id, '/t', never())).archive);
  await bench.containers.writeArchive(id, { path: '/tmp' }, once(tree), never());
  delay.disable();
  assert.equal(untar(tree).size, 1501);
  // On an idle machine it is some 10 ms; one with others' work on it takes turns.
  assert.ok(delay.percentile(90) / 1e6 < 100, `${delay.percentile(90) / 1e6} ms`);
});

test('the files of a container that stands still are looked at without a mount that others see', async () => {
  await using bench = await openTestContainers();
  const { id } = await bench.run({ Cmd: ['sh', '-c', 'echo kept >/f'] });
  const { archive } = await bench.containers.readArchive(id, '/f', never());
  assert.ok(!readFileSync('/proc/self/mounts', 'utf8').includes(`${id}/view`));
  assert.equal(untar(await all(archive)).get('f')?.content, 'kept\n');
  await bench.containers.writeArchive(
    id,
    { path: '/tmp' },
    once(tarOf([{ name: 'in', content: 'x' }])),
    never(),
  );
  assert.deepEqual(bench.left(), []);
  // What was only looked at left nothing in the container's layer.
  assert.deepEqual((await bench.containers.changes(id, never())).map(({ Path }) => Path).toSorted(), [
    '/f',
    '/tmp',
    '/tmp/in',
  ]);
});

test('a container that a commit was holding still goes on when the engine is started again', async () => {
  await using bench = await openTestContainers();
  const id = await started(bench, 'echo x >/ready; sleep 1000');
  await untilThere(bench, id, '/ready');
  await bench.containers.pause(id);
  // As an engine leaves it that is killed in the middle.
  writeFileSync(`${bench.root}/run/containers/${id}/committing`, '');
  const containers = await bench.reopen();
  assert.equal((await containers.inspect(id)).State.Status, 'running');
  assert.ok(!existsSync(`${bench.root}/run/containers/${id}/committing`));
});

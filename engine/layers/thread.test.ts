import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import test from 'node:test';
import { layerOf } from '../../workshop/testing/images.ts';
import { tempRoot } from '../../workshop/testing/temp.ts';
import type { Digest } from '../api/digest.ts';
import { giveThreadBack, takeThread } from './spare-thread.ts';
import { takeInThread } from './thread.ts';
import { defaultLayerLimits } from './types.ts';

/** Threads that take layers in, and have the next one then. */

async function layers() {
  const root = await tempRoot('layer-threads');
  let count = 0;
  return {
    [Symbol.asyncDispose]: () => root[Symbol.asyncDispose](),
    /** Takes a layer in, of a file with that content. `sent` is called when all of its blob has been sent. */
    take: async (
      content: Buffer,
      more: {
        readonly sent?: () => void;
        readonly signal?: AbortSignal;
        readonly promised?: number;
      } = {},
    ) => {
      count += 1;
      const { sent = () => {}, signal = new AbortController().signal, promised } = more;
      const { blob, diffId } = layerOf([{ name: 'file', content }]);
      const incoming = {
        path: root.join(`blob-${count}`),
        digest: `sha256:${createHash('sha256').update(blob).digest('hex')}` as Digest,
        sizeBytes: promised ?? blob.length,
        what: 'the layer',
        open: async function* () {
          yield blob;
          sent();
        },
      };
      const target = root.join(`layer-${count}`);
      mkdirSync(target);
      return await takeInThread(
        { blob: incoming, diffId: diffId as Digest, signal },
        { target, unpack: true, limits: defaultLayerLimits },
      );
    },
  };
}

/** Which thread would have the next layer. */
function nextThread(): number {
  const worker = takeThread();
  giveThreadBack(worker, { stays: true });
  return worker.threadId;
}

test('a thread that has taken a small layer in has the next one', async () => {
  await using it = await layers();
  await it.take(randomBytes(1_000));
  const first = nextThread();
  await it.take(randomBytes(2_000));
  assert.equal(nextThread(), first);
});

test('a thread whose layer was refused has no other, and another is ready', async () => {
  await using it = await layers();
  const first = nextThread();
  await assert.rejects(it.take(randomBytes(1_000), { promised: 5 }), { code: 'invalid' });
  assert.notEqual(nextThread(), first);
  assert.equal(await it.take(randomBytes(4_096)), 4_096);
});

test('a thread that was told to stop just when it was done takes the next layer in', async () => {
  await using it = await layers();
  const cancel = new AbortController();
  const sent = () =>
    void setImmediate(() => {
      // Long enough for the thread to be done, while nobody here hears of it.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000);
      cancel.abort();
    });
  await assert.rejects(it.take(randomBytes(1_000), { sent, signal: cancel.signal }), { code: 'cancelled' });
  assert.equal(await it.take(randomBytes(4_096)), 4_096);
});

test('a thread that dies while it waits for a layer is not waited for', async () => {
  await using it = await layers();
  const worker = takeThread();
  giveThreadBack(worker, { stays: true });
  await worker.terminate();
  assert.equal(await it.take(randomBytes(4_096)), 4_096);
});

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type Compression, layerOf } from '../../workshop/testing/images.ts';
import { layerBench } from '../../workshop/testing/layer-contract.ts';
import type { Digest } from '../api/digest.ts';
import { openLayers } from './store.ts';
import type { LayerKind } from './types.ts';

/** Layers made of what comes from a network: the blob is checked, kept and taken in at the same time. */

type Source = (blob: Buffer, signal: AbortSignal) => AsyncIterable<Buffer>;

const slices = (size: number): Source =>
  async function* (blob) {
    for (let at = 0; at < blob.length; at += size) yield blob.subarray(at, at + size);
  };

async function bench(kind: LayerKind) {
  const inner = await layerBench((root, limits) => openLayers(root, { kind, limits }));
  return {
    ...inner,
    blobPath: inner.root.join('blob'),
    take: async (
      content: Buffer,
      more: {
        readonly source?: Source;
        readonly compression?: Compression;
        readonly promise?: { readonly digest?: Digest; readonly sizeBytes?: number };
        readonly signal?: AbortSignal;
      } = {},
    ) => {
      const { source = slices(100_000), compression = 'gzip', promise } = more;
      const layer = layerOf([{ name: 'file', content }], { compression });
      const digest: Digest = `sha256:${createHash('sha256').update(layer.blob).digest('hex')}`;
      const blob = {
        open: (signal: AbortSignal) => source(layer.blob, signal),
        path: inner.root.join('blob'),
        what: 'the layer',
        ...{ digest, sizeBytes: layer.blob.length, ...promise },
      };
      const { signal = new AbortController().signal } = more;
      const made = await inner.store.apply({ blob, diffId: layer.diffId as Digest, signal });
      const [directory = ''] = await inner.store.directories([made.id]);
      return { blob: layer.blob, directory };
    },
    left: () => readdirSync(inner.root.join('layers')),
  };
}

const content = Buffer.concat([randomBytes(3_000_000), Buffer.alloc(9_000_000), randomBytes(70_000)]);

for (const kind of ['erofs', 'directories'] as const) {
  for (const compression of ['gzip', 'zstd', 'none'] as const) {
    test(`${kind}: a ${compression} blob that comes in pieces is kept whole, and its files are right`, async () => {
      await using it = await bench(kind);
      const { blob, directory } = await it.take(content, { compression });
      assert.ok(readFileSync(it.blobPath).equals(blob));
      assert.ok(readFileSync(join(directory, 'file')).equals(content));
    });
  }

  test(`${kind}: a last piece that is small and grows much is used up before its memory is another's`, async () => {
    await using it = await bench(kind);
    const much = Buffer.concat([randomBytes(262_000), Buffer.alloc(5_000_000, 'much')]);
    const { directory } = await it.take(much, { source: slices(7) });
    assert.ok(readFileSync(join(directory, 'file')).equals(much));
  });

  for (const [what, promise, message] of [
    ['that is another', { digest: `sha256:${'0'.repeat(64)}` }, /is not what its digest says/],
    ['that is longer than was said', { sizeBytes: 1000 }, /has more bytes where 1000 were promised/],
    ['that is shorter than was said', { sizeBytes: 2 ** 30 }, /has only \d+ bytes where 1073741824/],
  ] as const) {
    test(`${kind}: a blob ${what} is refused, and leaves no layer`, async () => {
      await using it = await bench(kind);
      await assert.rejects(it.take(content, { promise }), { code: 'invalid', message });
      assert.deepEqual(it.left(), []);
    });
  }

  test(`${kind}: a damaged blob is told by its digest, not by what it did to the archive`, async () => {
    await using it = await bench(kind);
    const source: Source = async function* (blob) {
      yield Buffer.concat([blob.subarray(0, 500_000), Buffer.alloc(1000), blob.subarray(501_000)]);
    };
    await assert.rejects(it.take(content, { source }), { message: /is not what its digest says/ });
    assert.deepEqual(it.left(), []);
  });

  test(`${kind}: a source that fails midway ends it with the source's own error`, async () => {
    await using it = await bench(kind);
    const source: Source = async function* (blob) {
      yield blob.subarray(0, 1_000_000);
      throw new Error('the cable was cut');
    };
    await assert.rejects(it.take(content, { source }), { message: 'the cable was cut' });
    assert.deepEqual(it.left(), []);
  });

  test(`${kind}: cancelled while it waits for more, it ends, and tells the source`, async () => {
    await using it = await bench(kind);
    const cancel = new AbortController();
    const told = Promise.withResolvers<void>();
    const source: Source = async function* (blob, signal) {
      signal.addEventListener('abort', () => told.resolve());
      yield blob.subarray(0, 2_000_000);
      cancel.abort();
      await told.promise;
      signal.throwIfAborted();
    };
    await assert.rejects(it.take(content, { source, signal: cancel.signal }), { code: 'cancelled' });
    await told.promise;
    assert.deepEqual(it.left(), []);
    assert.ok(existsSync(it.blobPath), 'the file is the caller’s to remove');
  });
}

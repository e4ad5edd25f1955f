import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { ContentStore } from '../content/store.ts';
import { decompressed } from '../layers/decompress.ts';
import type { LayerStore } from '../layers/types.ts';
import type { ImageRows } from './rows.ts';

const READ_BYTES = 512 * 1024;

type Store = { readonly rows: ImageRows; readonly content: ContentStore; readonly layers: LayerStore };

/** A file whose first `sizeBytes` bytes are a blob; not checked yet. */
export type BlobFile = { readonly path: string; readonly sizeBytes: number };

/** The file that has a layer's blob: its own, or the layer's archive where that is what the digest names. */
export async function findBlobFile(
  { rows, content, layers }: Store,
  digest: Digest,
): Promise<BlobFile | undefined> {
  const sizeBytes = rows.blobs.sizeOf(digest);
  if (sizeBytes !== undefined) return { path: content.pathOf(digest), sizeBytes };
  const id = rows.layer(digest);
  return id === undefined ? undefined : await layers.archive(id);
}

/** The archive of a layer, byte for byte what its diffID names. */
export type OpenArchive = {
  /** Undefined where it is told only by reading it. */
  readonly sizeBytes: number | undefined;
  /** Throws `internal` at its end where it is not what its diffID says: nothing is to be used before. */
  readonly stream: () => AsyncGenerator<Buffer>;
};

/**
 * Finds a layer's archive: in the layer store, which keeps it as a rule, or in the blob that the layer came as, where
 * layers are directories. Throws `internal` where there is neither.
 */
export async function openArchive({ rows, content, layers }: Store, diffId: Digest): Promise<OpenArchive> {
  const lost = (why: string) =>
    new BerthError('internal', `the archive of layer ${diffId} ${why}`, { hint: 'pull the image again' });
  const id = rows.layer(diffId);
  if (id === undefined) throw lost('is not in the store');
  async function* checked(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    for await (const piece of source) {
      hash.update(piece);
      yield piece;
    }
    if (`sha256:${hash.digest('hex')}` !== diffId) throw lost('is damaged');
  }
  const archive = await layers.archive(id);
  if (archive !== undefined) {
    const { path, sizeBytes } = archive;
    // The file may go on behind it.
    const read = () =>
      sizeBytes === 0 ? [] : createReadStream(path, { end: sizeBytes - 1, highWaterMark: READ_BYTES });
    return { sizeBytes, stream: () => checked(read() as AsyncIterable<Buffer>) };
  }
  const blobs = rows.blobs.of(id);
  const blob = blobs.find(({ digest }) => digest === diffId) ?? blobs[0];
  if (blob === undefined) throw lost('is not in the store');
  return {
    sizeBytes: blob.digest === diffId ? blob.sizeBytes : undefined,
    stream: () => checked(decompressed(content.stream(blob.digest))),
  };
}

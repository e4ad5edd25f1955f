import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { ContentStore, ReceivedBlob } from '../content/store.ts';
import { createSlots } from '../layers/slots.ts';
import type { LayerStore } from '../layers/types.ts';
import { parseManifest } from '../registry/manifest.ts';
import { diskError } from './disk.ts';
import { openArchive } from './layer-archive.ts';
import type { LayerBlob } from './layer-blobs.ts';
import { compressionOfType, layerType } from './layer-types.ts';
import type { LayerStep } from './progress.ts';
import type { ImageRows } from './rows.ts';
import { createSharing } from './sharing.ts';

/** Gives a layer's compressed blob: one that is kept, else one that is made now and kept from then on. */
export type Compressor = (options: {
  readonly diffId: Digest;
  readonly signal: AbortSignal;
  readonly onStep: (step: LayerStep) => void;
}) => Promise<LayerBlob>;

const CHUNK_BYTES = 512 * 1024;
/** zlib works in threads of its own; more at a time only take turns. */
const MAX_COMPRESSING = 2;

type Store = {
  readonly root: string;
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly layers: LayerStore;
};

/** Compresses layers that were made here; each once, whoever asks. */
export function createCompressor(store: Store): Compressor {
  const { root, rows, content } = store;
  const sharing = createSharing<LayerStep>();
  const slots = createSlots(MAX_COMPRESSING);
  const kept = (diffId: Digest) =>
    rows.blobs.ofDiffId(diffId).find(({ mediaType }) => compressionOfType(mediaType) !== 'none');

  const compress = async (diffId: Digest, signal: AbortSignal, emit: (step: LayerStep) => void) => {
    using _ = await slots.take(signal);
    const archive = await openArchive(store, diffId);
    const onBytes = (current: number) =>
      emit({ status: 'Compressing', current, total: archive.sizeBytes ?? 0 });
    await using blob = await gzip(content, { source: archive.stream(), signal, onBytes });
    const layer = rows.layer(diffId);
    if (layer === undefined) throw new BerthError('internal', `layer ${diffId} went while it was compressed`);
    await content.keep(blob);
    const { digest, sizeBytes } = blob;
    rows.blobs.add(layer, { digest, sizeBytes, mediaType: layerType('gzip') });
    dropPlain(store, diffId);
  };

  return async ({ diffId, signal, onStep }) => {
    const before = kept(diffId);
    if (before !== undefined) return before;
    try {
      await sharing.join(diffId, {
        signal,
        onEvent: onStep,
        isDone: () => kept(diffId) !== undefined,
        work: (shared, emit) => compress(diffId, shared, emit),
      });
    } catch (error) {
      throw diskError(error, { doing: 'compressing a layer', root });
    }
    const made = kept(diffId);
    if (made !== undefined) return made;
    throw new BerthError('internal', `layer ${diffId} went while it was compressed`);
  };
}

/** zlib's threads compress; the same bytes come out on every machine with the same Node. */
async function gzip(
  content: ContentStore,
  options: {
    readonly source: AsyncIterable<Buffer>;
    readonly signal: AbortSignal;
    readonly onBytes: (taken: number) => void;
  },
): Promise<ReceivedBlob> {
  const { source, signal, onBytes } = options;
  const deflate = createGzip({ chunkSize: CHUNK_BYTES });
  const feeding = pipeline(source, deflate, { signal });
  feeding.catch(() => {});
  async function* compressed() {
    for await (const piece of deflate as AsyncIterable<Buffer>) {
      onBytes(deflate.bytesWritten);
      yield piece;
    }
    // A source that is not what its digest says ends the pipeline with an error, after its last byte.
    await feeding;
  }
  return await content.take(compressed());
}

/**
 * Drops the archive of a layer as it was made: the compressed one gives it back. Not where a manifest names it, which
 * has to be pushed as it is.
 */
function dropPlain({ rows, content }: Store, diffId: Digest): void {
  const isNamed = rows
    .imagesWith(diffId)
    .filter(({ id, manifestDigest }) => id !== manifestDigest)
    .some(({ id, manifestDigest }) => {
      const manifest = parseManifest(content.read(manifestDigest), undefined, id);
      return manifest.kind === 'image' && manifest.layers.some(({ digest }) => digest === diffId);
    });
  if (isNamed) return;
  rows.blobs.remove(diffId);
  if (!rows.isBlobUsed(diffId)) content.remove(diffId);
}

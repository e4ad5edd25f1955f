import type { Digest } from '../api/digest.ts';
import type { ContentStore, ReceivedBlob } from '../content/store.ts';
import type { LayerStore } from '../layers/types.ts';
import type { ImageRows } from './rows.ts';

/**
 * Takes a layer in that did not come from a registry, where it is not there yet: its files, its row, and the blob that
 * it came as. An archive that is not compressed is kept once: by the layer store, or where that can't give it back, as
 * a blob. Throws as `LayerStore.apply` does; then nothing of it is left.
 */
export async function keepLayer(
  {
    rows,
    content,
    layers,
  }: { readonly rows: ImageRows; readonly content: ContentStore; readonly layers: LayerStore },
  options: {
    readonly blob: ReceivedBlob;
    readonly diffId: Digest;
    readonly mediaType: string;
    readonly signal: AbortSignal;
    readonly onProgress?: ((bytes: number) => void) | undefined;
  },
): Promise<void> {
  const { blob, diffId, mediaType, signal, onProgress } = options;
  if (rows.layer(diffId) !== undefined) return;
  const layer = await layers.apply({ blob: blob.path, diffId, signal, onProgress });
  let isKept = false;
  try {
    const inLayer = blob.digest === diffId && (await layers.archive(layer.id)) !== undefined;
    if (!inLayer && !rows.blobs.has(blob.digest)) {
      await content.keep(blob);
      isKept = true;
    }
    // A pull may have brought the same one meanwhile.
    if (rows.layer(diffId) !== undefined) return await layers.remove(layer.id);
    const { digest, sizeBytes } = blob;
    rows.addLayer(layer, diffId, inLayer ? undefined : { digest, sizeBytes, mediaType });
  } catch (error) {
    // Where it was not kept here it may be a pull's, which has no row yet.
    if (isKept && !rows.isBlobUsed(blob.digest)) content.remove(blob.digest);
    await layers.remove(layer.id);
    throw error;
  }
}

import type { Digest } from '../../api/digest.ts';
import type { ContentStore } from '../../content/store.ts';
import { parseManifest } from '../../registry/manifest.ts';
import type { Compressor } from '../compress.ts';
import type { LayerBlob } from '../layer-blobs.ts';
import { madeManifest } from '../made-manifest.ts';
import type { ImageRows } from '../rows.ts';

/**
 * The manifest by which a registry offers an image: the one that it came with while all its blobs are here, else one
 * of our own, whose layers are compressed where they are not; it is the image's from then on. Undefined where a
 * layer's blob is not kept.
 */
export async function manifestOf(
  context: { readonly rows: ImageRows; readonly content: ContentStore; readonly compress: Compressor },
  id: Digest,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  const { rows, content, compress } = context;
  const image = rows.image(id);
  if (image === undefined) return undefined;
  const { manifestDigest } = image;
  if (manifestDigest !== id) {
    const manifest = parseManifest(content.read(manifestDigest), undefined, id);
    const has = ({ digest }: { readonly digest: Digest }) => rows.isBlobUsed(digest);
    if (manifest.kind === 'image' && manifest.layers.every(has)) return manifestDigest;
  }
  const blobs: LayerBlob[] = [];
  for (const diffId of rows.diffIdsOf(id)) {
    if (rows.blobs.ofDiffId(diffId).length === 0) return undefined;
    blobs.push(await compress({ diffId, signal, onStep: () => undefined }));
  }
  const digest = await content.put(madeManifest(id, content.read(id).length, blobs));
  rows.setManifest(id, digest);
  return digest;
}

import type { Digest } from '../api/digest.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../registry/manifest.ts';
import type { LayerBlob } from './layer-blobs.ts';
import { compressionOfType, layerType } from './layer-types.ts';

/** A manifest of our own for an image; the same one every time. `configBytes` is the length of its config. */
export function madeManifest(id: Digest, configBytes: number, blobs: readonly LayerBlob[]): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, digest: id, size: configBytes },
      layers: blobs.map(({ mediaType, digest, sizeBytes }) => ({
        mediaType: layerType(compressionOfType(mediaType)),
        digest,
        size: sizeBytes,
      })),
    }),
  );
}

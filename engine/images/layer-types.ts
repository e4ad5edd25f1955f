export type Compression = 'gzip' | 'zstd' | 'none';

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** How a layer's blob is compressed, by its media type: OCI's (layer.md) and Docker's (manifest version 2, schema 2). */
export function compressionOfType(mediaType: string): Compression {
  return /[.+]gzip$/.test(mediaType) ? 'gzip' : /[.+]zstd$/.test(mediaType) ? 'zstd' : 'none';
}

/** OCI's media type for a layer. */
export function layerType(compression: Compression): string {
  return compression === 'none' ? OCI_LAYER : `${OCI_LAYER}+${compression}`;
}

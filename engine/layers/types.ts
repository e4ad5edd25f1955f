import type { Digest } from '../api/digest.ts';

/** The number that a layer has on this machine: short, since the names of all of an image's layers share a page. */
export type LayerId = number;

export type Layer = {
  readonly id: LayerId;
  /** Lengths of its files and links, not what they take on disk: what dockerd calls an image's size. */
  readonly sizeBytes: number;
};

/** What a layer may hold at most: an archive that says more is a bomb. */
export type LayerLimits = {
  /** Bytes of the uncompressed archive. */
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Uncompressed bytes for each compressed one, looked at only above `ratioFromBytes`. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
};

export const defaultLayerLimits: LayerLimits = {
  maxBytes: 256 * 2 ** 30,
  maxEntries: 5_000_000,
  maxRatio: 400,
  ratioFromBytes: 2 * 2 ** 30,
};

export type ApplyRequest = {
  /** A file that holds the layer's archive, compressed or not; checked against its digest already. */
  readonly blob: string;
  /** Digest of the uncompressed archive, as the image's config gives it. */
  readonly diffId: Digest;
  readonly signal: AbortSignal;
  /** How much of the blob has been taken in; a few times a second. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
};

/**
 * Layers of images, each by itself: what is below it does not matter to it. Whoever holds the store keeps rows
 * about what is in it. Implementations: directories (`directories.ts`); later the tar itself with an EROFS index.
 */
export type LayerStore = {
  /**
   * Takes a layer in. When it returns, the layer is on disk for good, and a row may name it. When it throws,
   * nothing is left: `invalid` (no tar, hostile entries, another diffID), `unsupported` (compression, sparse files),
   * `cancelled`; a system error such as ENOSPC comes as it is.
   */
  readonly apply: (request: ApplyRequest) => Promise<Layer>;
  /**
   * Directories that overlay can use as `lowerdir`, in the order of the ids, mounted where they need to be. They
   * stay until the layer is removed.
   */
  readonly directories: (ids: readonly LayerId[]) => Promise<readonly string[]>;
  /** Takes a layer away. Nobody may be using it. Does nothing where there is none. */
  readonly remove: (id: LayerId) => Promise<void>;
  /** Takes away all layers but these, and all that was only begun. Called before anything else. */
  readonly recover: (keep: ReadonlySet<LayerId>) => Promise<void>;
};

import type { Digest } from '../api/digest.ts';

/** The number that a layer has on this machine: short, since the names of all of an image's layers share a page. */
export type LayerId = number;

export type Layer = {
  readonly id: LayerId;
  /** Lengths of its files and links, not what they take on disk: what dockerd calls an image's size. */
  readonly sizeBytes: number;
};

/**
 * How layers are kept: as their archive with an EROFS index over it, which the kernel mounts from the files
 * themselves or, before Linux 6.12, through loop devices; or unpacked into directories.
 */
export const layerKinds = ['erofs', 'erofs-loop', 'directories'] as const;
export type LayerKind = (typeof layerKinds)[number];

/** What a layer may hold at most: an archive that says more is a bomb. */
export type LayerLimits = {
  /** Bytes of the uncompressed archive. */
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Bytes of all names and targets of links together: an index is made in memory. */
  readonly maxNameBytes: number;
  /** Uncompressed bytes for each compressed one, looked at only above `ratioFromBytes`. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
};

export const defaultLayerLimits: LayerLimits = {
  maxBytes: 256 * 2 ** 30,
  maxEntries: 5_000_000,
  maxNameBytes: 512 * 2 ** 20,
  maxRatio: 400,
  ratioFromBytes: 2 * 2 ** 30,
};

/** A blob on its way here: it is checked against its digest, and written to a file, while the layer is made of it. */
export type IncomingBlob = {
  /** Begins to give its bytes; when the signal fires nobody wants the rest. */
  readonly open: (signal: AbortSignal) => AsyncIterable<Buffer>;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** A new file for it, which is the caller's; not synced. */
  readonly path: string;
  /** What it is, for messages. */
  readonly what: string;
};

export type ApplyRequest = {
  /**
   * The layer's archive, compressed or not: a file that was checked against its digest already, or what comes from
   * somewhere.
   */
  readonly blob: string | IncomingBlob;
  /** Digest of the uncompressed archive, as the image's config gives it. */
  readonly diffId: Digest;
  readonly signal: AbortSignal;
  /** Keeps the blob while the layer gets its place: all of it has come and was right. Where it fails there is no layer. */
  readonly keep?: (() => Promise<void>) | undefined;
  /** How much of the blob has come or, of a file, been taken in; told often. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
};

export type LayerCheck = {
  readonly diffId: Digest;
  /** A blob of the layer, where one is kept: a tree of files is held against it. */
  readonly blob: string | undefined;
  readonly signal: AbortSignal;
};

/** A layer's archive as it was before it was compressed: the first `sizeBytes` bytes of a file. */
export type LayerArchive = { readonly path: string; readonly sizeBytes: number };

/**
 * Layers of images, each by itself: what is below it does not matter to it. Whoever holds the store keeps rows
 * about what is in it. A store reads what another kind has kept, where the kernel can.
 */
export type LayerStore = {
  /** How it keeps what comes now. */
  readonly kind: LayerKind;
  /** A layer is about to come. */
  readonly prepare: () => void;
  /**
   * Takes a layer in. When it returns, the layer is on disk for good, and a row may name it. When it throws,
   * nothing is left: `invalid` (no tar, hostile entries, another digest, size or diffID), `unsupported` (compression),
   * `cancelled`; what comes of opening or reading the blob, and
   * system errors such as ENOSPC, come as they are.
   */
  readonly apply: (request: ApplyRequest) => Promise<Layer>;
  /**
   * Directories that overlay can use as `lowerdir`, in the order of the ids, mounted where they need to be. They
   * stay until the layer is removed.
   */
  readonly directories: (ids: readonly LayerId[]) => Promise<readonly string[]>;
  /**
   * The exact archive of a layer, whose digest is its diffID; undefined for one that is kept as a directory: only its
   * blob has it. Throws `internal` where the layer is lost.
   */
  readonly archive: (id: LayerId) => Promise<LayerArchive | undefined>;
  /** What is wrong with a layer, in words; undefined where nothing is: see `checkLayer`. */
  readonly check: (id: LayerId, options: LayerCheck) => Promise<string | undefined>;
  /** The layers that are on the disk, and when each was changed. */
  readonly list: () => Promise<
    readonly { readonly id: LayerId; readonly path: string; readonly changedMs: number }[]
  >;
  /** Where a layer is. */
  readonly pathOf: (id: LayerId) => string;
  /** Takes a layer away. Nobody may be using it. Does nothing where there is none. */
  readonly remove: (id: LayerId) => Promise<void>;
  /** Takes away all layers but these, and all that was only begun. Called before anything else. */
  readonly recover: (keep: ReadonlySet<LayerId>) => Promise<void>;
  /** Takes its mounts off, where nobody uses them. */
  readonly close: () => void;
};

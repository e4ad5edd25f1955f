import type { Digest } from '../api/digest.ts';
import type { Filters } from '../api/fields.ts';
import type { ByteStream } from '../api/operations.ts';
import type { ImagesPruned } from '../api/wire/disk-usage.ts';
import type { ImageHistory } from '../api/wire/made-images.ts';
import type { ContainerConfig, ImageDeleted, ImageInspect, ImageSummary, ProgressLine } from '../api/wire.ts';
import type { LayerKind } from '../layers/types.ts';
import type { Platform } from '../registry/manifest.ts';
import type { Look } from '../state/faults.ts';
import type { HostedImages } from './hosted/types.ts';

/** What a container is made from: an image that is in the store. */
export type StoredImage = {
  /** `sha256:` and the digest of its config. */
  readonly id: string;
  readonly config: ContainerConfig;
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
  /** diffIDs of its layers, lowest first. */
  readonly layers: readonly string[];
  /** Of its layers, unpacked. */
  readonly sizeBytes: number;
};

/** Credentials for one registry, as `X-Registry-Auth` carries them. */
export type RegistryAuth = {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
};

export type PullRequest = {
  /** The reference as it was typed. */
  readonly reference: string;
  /** `os/arch[/variant]`; the engine's own where it is not given. */
  readonly platform?: string | undefined;
  readonly auth?: RegistryAuth | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (line: ProgressLine) => void;
};

export type PushRequest = {
  /** The repository as it was typed; with a tag, that one alone. */
  readonly name: string;
  /** The tag to push; all that the repository has where none is given. */
  readonly tag?: string | undefined;
  /** Nothing is pushed where it is for another. */
  readonly platform?: string | undefined;
  readonly auth?: RegistryAuth | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (line: ProgressLine) => void;
};

/** `os/arch[/variant]`, or JSON: see `wantedPlatform`. */
export type PlatformOption = { readonly platform?: string | undefined };

export type LoadRequest = {
  /** Compressed with gzip or zstd, or not. */
  readonly archive: ByteStream;
  /** Only images for this one; of several in an index, the engine's own where it is not given. */
  readonly platform?: string | undefined;
  readonly quiet?: boolean | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (line: ProgressLine) => void;
};

/** The images of one engine. All names are resolved as docker does: reference, id, or unique prefix of an id. */
export type ImageStore = {
  /** Fetches what is missing and names it. Throws `notFound`, `unauthorized`, `unavailable`, `invalid`. */
  pull(request: PullRequest): Promise<void>;
  /**
   * Puts what a registry lacks of an image there, and names it. Throws `notFound`, `unauthorized`, `unavailable`,
   * `invalid`.
   */
  push(request: PushRequest): Promise<void>;
  /**
   * An archive of images, as `saveImages` says. Throws `notFound`; what fails later breaks the stream off.
   */
  save(options: {
    readonly names: readonly string[];
    readonly platform?: string | undefined;
  }): Promise<ByteStream>;
  /**
   * Keeps the images of an archive: docker's, or an OCI layout. Throws `invalid` on one that is damaged, or none;
   * `notFound` where nothing in it is for the platform. What was whole before is kept.
   */
  load(request: LoadRequest): Promise<void>;
  list(query: { readonly all?: boolean; readonly filter?: Filters }): readonly ImageSummary[];
  /** Throws `notFound`, with a hint to pull it; also where it is for another platform than the one wanted. */
  inspect(name: string, options?: PlatformOption): ImageInspect;
  resolve(name: string): StoredImage;
  /** Throws `notFound`, as `inspect` does. */
  history(name: string, options?: PlatformOption): readonly ImageHistory[];
  /** Gives an image another name. Throws `notFound`, `invalid`. */
  tag(name: string, target: ImageTarget): void;
  /** Keeps an image that is made here. Throws `invalid` on a layer that is none, `cancelled`; then nothing is kept. */
  make(made: NewLocalImage): Promise<Digest>;
  /** Of platforms that are named an image has to be for each, as it is for one alone. */
  remove(
    name: string,
    options: {
      readonly force?: boolean | undefined;
      readonly noprune?: boolean | undefined;
      readonly platform?: readonly string[] | undefined;
    },
  ): Promise<readonly ImageDeleted[]>;
  /** Removes those that nothing uses and the filters choose: see `imagesToPrune`. Throws `invalid` on another filter. */
  prune(query: { readonly filter?: Filters | undefined }): Promise<ImagesPruned>;
  /** What is held on the disk: each image with what it shares, and the bytes of all layers; kept blobs among both. */
  usage(): { readonly LayersSize: number; readonly Images: readonly ImageSummary[] };
  /** Directories for overlay's `lowerdir`, uppermost first. */
  lowerDirs(image: StoredImage): Promise<readonly string[]>;
  /** How layers are kept: for `info`. */
  readonly layerKind: LayerKind;
  /** Takes the mounts of layers off, where no container uses them. */
  close(): void;
  /** What the engine's own registry offers and takes. */
  readonly hosted: HostedImages;
  /** What is to be looked at of images: what may be wrong with them, and how it is put right. */
  checks(signal: AbortSignal): Promise<readonly Look[]>;
  /** How many images there are. */
  count(): number;
  /** Takes away what an interrupted pull or removal left. Called once, before the engine serves. */
  recover(): Promise<void>;
};

/** A name to give: a repository, which may have its tag with it, and a tag. */
export type ImageTarget = { readonly repo?: string | undefined; readonly tag?: string | undefined };

export type NewLocalImage = {
  /** Its uppermost layer: a tar archive, not compressed. One without an entry is left out. */
  readonly layer: ByteStream;
  /** The image that it is made from. */
  readonly parent?: Digest | undefined;
  readonly config: ContainerConfig;
  readonly author?: string | undefined;
  readonly comment?: string | undefined;
  /** What made the layer, for the history. */
  readonly createdBy?: string | undefined;
  /** The container that it was made from. */
  readonly container?: string | undefined;
  readonly platform?: Platform | undefined;
  readonly target: ImageTarget;
  /** Whether it comes from outside: for the event log. */
  readonly imported?: boolean | undefined;
  readonly signal: AbortSignal;
};

/** Which containers use an image; told to the store so that it knows what it may remove. */
export type ImageUser = { readonly containerId: string; readonly running: boolean };

/** What happens to images: for the engine's event log. */
export type ImageEvent = {
  readonly action: 'pull' | 'push' | 'save' | 'load' | 'tag' | 'untag' | 'delete' | 'import';
  readonly id: string;
  readonly name: string;
};

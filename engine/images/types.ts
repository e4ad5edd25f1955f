import type { Filters } from '../api/fields.ts';
import type { ImagesPruned } from '../api/wire/disk-usage.ts';
import type { ContainerConfig, ImageDeleted, ImageInspect, ImageSummary, ProgressLine } from '../api/wire.ts';

/** What a container is made from: an image that is in the store. */
export type StoredImage = {
  /** `sha256:` and the digest of its config. */
  readonly id: string;
  readonly config: ContainerConfig;
  readonly os: string;
  readonly architecture: string;
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

/** The images of one engine. All names are resolved as docker does: reference, id, or unique prefix of an id. */
export type ImageStore = {
  /** Fetches what is missing and names it. Throws `notFound`, `unauthorized`, `unavailable`, `invalid`. */
  pull(request: PullRequest): Promise<void>;
  list(query: { readonly all?: boolean; readonly filter?: Filters }): readonly ImageSummary[];
  /** Throws `notFound`, with a hint to pull it. */
  inspect(name: string): ImageInspect;
  resolve(name: string): StoredImage;
  remove(
    name: string,
    options: { readonly force?: boolean; readonly noprune?: boolean },
  ): Promise<readonly ImageDeleted[]>;
  /** Removes those that nothing uses and the filters choose: see `imagesToPrune`. Throws `invalid` on another filter. */
  prune(query: { readonly filter?: Filters | undefined }): Promise<ImagesPruned>;
  /** What is held on the disk: each image with what it shares, and the bytes of all layers. */
  usage(): { readonly LayersSize: number; readonly Images: readonly ImageSummary[] };
  /** Directories for overlay's `lowerdir`, uppermost first. */
  lowerDirs(image: StoredImage): Promise<readonly string[]>;
  /** How many images there are. */
  count(): number;
  /** Takes away what an interrupted pull or removal left. Called once, before the engine serves. */
  recover(): Promise<void>;
};

/** Which containers use an image; told to the store so that it knows what it may remove. */
export type ImageUser = { readonly containerId: string; readonly running: boolean };

/** What happens to images: for the engine's event log. */
export type ImageEvent = {
  readonly action: 'pull' | 'tag' | 'untag' | 'delete';
  readonly id: string;
  readonly name: string;
};

import type { Digest } from '../../api/digest.ts';
import { BerthError } from '../../api/errors.ts';
import type { ContentStore } from '../../content/store.ts';
import type { LayerStore } from '../../layers/types.ts';
import { type Descriptor, parseManifest } from '../../registry/manifest.ts';
import { choosePlatform, hostPlatform } from '../../registry/platform.ts';
import { parseImageConfig } from '../config.ts';
import type { ImageRows } from '../rows.ts';

type Store = { readonly rows: ImageRows; readonly content: ContentStore; readonly layers: LayerStore };

/** What a container can be made from, with its layers in the store. */
export type Realised = {
  readonly id: Digest;
  readonly manifestDigest: Digest;
  /** diffIDs, lowest first. */
  readonly layers: readonly Digest[];
};

const MAX_CONFIG_BYTES = 8 * 2 ** 20;
const MAX_INDEX_DEPTH = 3;

/** A pushed manifest or index, and what is needed to follow it. */
export type Pushed = {
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly mediaType: string;
  /** The bytes of a manifest that an index names; undefined for one that is not in the repository. */
  readonly manifest: (digest: Digest) => Buffer | undefined;
  /** Where a blob's file is; undefined for one that is not in the repository. */
  readonly blob: (digest: Digest) => string | undefined;
  /** Keeps diffIDs from being collected. */
  readonly pin: (diffIds: readonly Digest[]) => void;
  readonly signal: AbortSignal;
};

/**
 * Takes the layers of what was pushed into the store. Undefined where it is no image that can be run here: another
 * kind of artifact, an index without one for this machine, layers that are no archives. Throws what is not the
 * pushed content's fault: a full disk, `cancelled`.
 */
export async function realise(store: Store, pushed: Pushed): Promise<Realised | undefined> {
  try {
    return await takeIn(store, pushed);
  } catch (error) {
    if (error instanceof BerthError && ['invalid', 'unsupported', 'notFound'].includes(error.code))
      return undefined;
    throw error;
  }
}

async function takeIn(store: Store, pushed: Pushed): Promise<Realised | undefined> {
  const chosen = choose(pushed);
  if (chosen === undefined) return undefined;
  const { digest, config: configBlob, layers } = chosen;
  if (configBlob.sizeBytes > MAX_CONFIG_BYTES || pushed.blob(configBlob.digest) === undefined)
    return undefined;
  const config = parseImageConfig(store.content.read(configBlob.digest), configBlob.digest);
  const { diffIds } = config;
  if (config.os !== 'linux' || diffIds.length !== layers.length) return undefined;
  pushed.pin(diffIds);
  for (const [index, descriptor] of layers.entries()) {
    const diffId = diffIds[index];
    if (diffId !== undefined && store.rows.layer(diffId) === undefined)
      await takeLayer(store, pushed, { descriptor, diffId });
  }
  return { id: configBlob.digest, manifestDigest: digest, layers: diffIds };
}

/** Follows indexes down to the manifest for this machine. */
function choose(pushed: Pushed) {
  let { digest, bytes } = pushed;
  let mediaType: string | undefined = pushed.mediaType;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth += 1) {
    const manifest = parseManifest(bytes, mediaType, digest);
    if (manifest.kind === 'image') return { digest, config: manifest.config, layers: manifest.layers };
    const entry = choosePlatform(manifest.manifests, hostPlatform(), digest);
    const next = pushed.manifest(entry.digest);
    if (next === undefined) return undefined;
    ({ digest, mediaType } = entry);
    bytes = next;
  }
  return undefined;
}

async function takeLayer(
  { rows, content, layers }: Store,
  pushed: Pushed,
  { descriptor, diffId }: { readonly descriptor: Descriptor; readonly diffId: Digest },
): Promise<void> {
  const blob = pushed.blob(descriptor.digest);
  if (blob === undefined) throw new BerthError('notFound', `${descriptor.digest} is not in the repository`);
  const layer = await layers.apply({ blob, diffId, signal: pushed.signal });
  // Somebody else may have brought the same one meanwhile, or taken the blob away.
  const isThere = await content.has(descriptor.digest);
  if (isThere && rows.layer(diffId) === undefined) rows.addLayer(layer, diffId, descriptor);
  else await layers.remove(layer.id);
}

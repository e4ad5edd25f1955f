import { type Digest, shortDigest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import { familiarName, familiarReference, parseReference, type Reference } from '../api/reference.ts';
import type { ContentStore } from '../content/store.ts';
import { allOf } from '../layers/all-of.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Descriptor, Platform } from '../registry/manifest.ts';
import { choosePlatform, hostPlatform } from '../registry/platform.ts';
import { type FetchedManifest, openRepository, type Repository } from '../registry/repository.ts';
import type { RegistryLimits, RegistrySettings } from '../registry/settings.ts';
import { collect, type Pins } from './collect.ts';
import { type ImageConfig, parseImageConfig } from './config.ts';
import { diskError } from './disk.ts';
import { requirePlatform, wantedPlatform } from './platform.ts';
import { layerLine } from './progress.ts';
import type { LayerPuller } from './pull-layer.ts';
import type { ImageRows } from './rows.ts';
import type { ImageEvent, PullRequest } from './types.ts';

export type PullContext = {
  readonly root: string;
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly pins: Pins;
  readonly settings: RegistrySettings;
  readonly limits: RegistryLimits;
  readonly pullLayer: LayerPuller;
  readonly onEvent: (event: ImageEvent) => void;
};

/** Far more than any config has; config blobs are held in memory. */
const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
/** An index may list indexes; nobody nests them deeper. */
const MAX_INDEX_DEPTH = 3;

/**
 * Fetches what is missing of an image and names it. Names, rows and files appear when all of it is there; where it
 * fails, nothing is left. Throws as `ImageStore.pull` says.
 */
export async function pullImage(context: PullContext, request: PullRequest): Promise<void> {
  const reference = parseReference(request.reference);
  const wanted = wantedPlatform(request.platform);
  const name = familiarReference(reference);
  try {
    await pull(context, { request, reference, wanted, name });
  } catch (error) {
    if (request.signal.aborted)
      throw new BerthError('cancelled', `the pull of ${name} was cancelled`, { cause: error });
    throw diskError(error, { doing: `pulling ${name}`, root: context.root });
  }
}

async function pull(
  context: PullContext,
  options: {
    readonly request: PullRequest;
    readonly reference: Reference;
    readonly wanted: Platform | undefined;
    readonly name: string;
  },
): Promise<void> {
  const { rows, content, pins } = context;
  const { request, reference, wanted, name } = options;
  const { signal, onProgress } = request;
  const repository = openRepository({
    domain: reference.domain,
    path: reference.path,
    name: familiarName(reference),
    settings: context.settings,
    limits: context.limits,
    credentials: request.auth,
  });
  context.layers.prepare();
  const target = reference.digest ?? reference.tag ?? 'latest';
  const top = await repository.fetchManifest(target, signal);
  onProgress({ status: `Pulling from ${reference.path}`, id: target });
  const chosen = await chooseImage(repository, { top, wanted: wanted ?? hostPlatform(), name, signal });

  using undo = new DisposableStack();
  const blobs: readonly Digest[] = [chosen.config.digest, chosen.digest];
  undo.use(pins.keep(blobs));
  const configBytes = await fetchConfig({ repository, content, descriptor: chosen.config, name, signal });
  const config = parseImageConfig(configBytes, name);
  checkConfig(config, { layers: chosen.layers.length, wanted, name });
  undo.use(pins.keep(config.diffIds));

  const fullName = `${reference.domain}/${reference.path}`;
  const known = rows.image(chosen.config.digest);
  const named =
    reference.tag === undefined ? rows.digested(fullName, top.digest) : rows.named(fullName, reference.tag);
  const isNew = known === undefined || named?.imageId !== chosen.config.digest;
  try {
    await allOf([
      known === undefined
        ? pullLayers(context, {
            repository,
            layers: chosen.layers,
            diffIds: config.diffIds,
            source: fullName,
            name,
            request,
          })
        : undefined,
      content.put(configBytes),
      content.put(chosen.bytes),
    ]);
    for (const { digest } of chosen.layers) rows.blobs.addSource(digest, fullName);
    rows.addImage({
      id: chosen.config.digest,
      manifestDigest: chosen.digest,
      layers: config.diffIds,
      // A reference with both is pinned by its digest: dockerd writes no tag then.
      name:
        reference.digest === undefined && reference.tag !== undefined
          ? { repository: fullName, tag: reference.tag }
          : undefined,
      digest: { repository: fullName, digest: top.digest },
    });
  } finally {
    undo.dispose();
    // What no row names: all of it after a failure, a second manifest of the same image after success.
    await collect(context, blobs);
  }
  onProgress({ status: `Digest: ${top.digest}` });
  onProgress({
    status: `Status: ${isNew ? 'Downloaded newer image' : 'Image is up to date'} for ${name}`,
  });
  context.onEvent({ action: 'pull', id: name, name: familiarName(reference) });
}

type ChosenImage = {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
};

/** Follows indexes down to the manifest for a platform. */
async function chooseImage(
  repository: Repository,
  options: {
    readonly top: FetchedManifest;
    readonly wanted: Platform;
    readonly name: string;
    readonly signal: AbortSignal;
  },
): Promise<ChosenImage> {
  const { top, wanted, name, signal } = options;
  let fetched = top;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth += 1) {
    const { manifest, bytes, digest } = fetched;
    if (manifest.kind === 'image') return { bytes, digest, config: manifest.config, layers: manifest.layers };
    const entry = choosePlatform(manifest.manifests, wanted, name);
    fetched = await repository.fetchManifest(entry.digest, signal);
  }
  throw new BerthError('invalid', `the index of ${name} lists indexes more than ${MAX_INDEX_DEPTH} deep`);
}

async function fetchConfig(options: {
  readonly repository: Repository;
  readonly content: ContentStore;
  readonly descriptor: Descriptor;
  readonly name: string;
  readonly signal: AbortSignal;
}): Promise<Buffer> {
  const { repository, content, descriptor, name, signal } = options;
  const { digest, sizeBytes } = descriptor;
  if (await content.has(digest)) {
    try {
      return content.read(digest);
    } catch {
      // Damaged on disk: what comes now takes its place.
      content.remove(digest);
    }
  }
  if (sizeBytes > MAX_CONFIG_BYTES) {
    throw new BerthError(
      'invalid',
      `the config of ${name} has ${sizeBytes} bytes; at most ${MAX_CONFIG_BYTES} are read`,
    );
  }
  const expected = { digest, sizeBytes, what: `the config of ${name}` };
  return await content.collect(expected, repository.streamBlob(descriptor, signal));
}

function checkConfig(
  config: ImageConfig,
  options: { readonly layers: number; readonly wanted: Platform | undefined; readonly name: string },
): void {
  const { layers, wanted, name } = options;
  const { os, diffIds } = config;
  requirePlatform(config, { wanted, name });
  if (os !== 'linux') {
    throw new BerthError('unsupported', `${name} is an image for ${os}, which can't run here`);
  }
  if (diffIds.length !== layers) {
    throw new BerthError(
      'invalid',
      `${name} has ${layers} layers in its manifest and ${diffIds.length} in its config`,
    );
  }
}

/** Pulls the layers side by side. When one fails the others are stopped, and all have ended when this throws. */
async function pullLayers(
  context: PullContext,
  options: {
    readonly repository: Repository;
    readonly layers: readonly Descriptor[];
    readonly diffIds: readonly Digest[];
    readonly source: string;
    readonly name: string;
    readonly request: PullRequest;
  },
): Promise<void> {
  const { repository, layers, diffIds, source, name, request } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([request.signal, failed.signal]);
  const seen = new Set<string>();
  const wishes = layers.flatMap((descriptor, index) => {
    const diffId = diffIds[index];
    // The same layer twice, an empty one as a rule, is one layer.
    if (diffId === undefined || seen.has(diffId)) return [];
    seen.add(diffId);
    const id = shortDigest(descriptor.digest);
    const exists = context.rows.layer(diffId) !== undefined;
    request.onProgress(layerLine(id, { status: exists ? 'Already exists' : 'Pulling fs layer' }));
    return exists ? [] : [{ descriptor, diffId, id }];
  });
  let first: unknown;
  await Promise.all(
    wishes.map(async ({ descriptor, diffId, id }) => {
      try {
        await context.pullLayer({
          repository,
          descriptor,
          diffId,
          source,
          what: `layer ${id} of ${name}`,
          signal,
          onStep: (step) => request.onProgress(layerLine(id, step)),
        });
      } catch (error) {
        first ??= error;
        failed.abort();
      }
    }),
  );
  if (first !== undefined) throw first;
}

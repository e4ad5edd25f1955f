import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Digest, shortDigest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import { familiarName, parseReference, type Reference } from '../api/reference.ts';
import type { ContentStore } from '../content/store.ts';
import { createSlots } from '../layers/slots.ts';
import type { LayerStore } from '../layers/types.ts';
import { OCI_MANIFEST, parseManifest } from '../registry/manifest.ts';
import { openRepository, type Repository } from '../registry/repository.ts';
import type { RegistryLimits, RegistrySettings } from '../registry/settings.ts';
import type { OutgoingBlob, Uploaded } from '../registry/upload.ts';
import { collect, type Pins } from './collect.ts';
import type { Compressor } from './compress.ts';
import type { ImageConfig } from './config.ts';
import { type BlobFile, findBlobFile } from './layer-archive.ts';
import type { LayerBlob } from './layer-blobs.ts';
import { madeManifest } from './made-manifest.ts';
import { requirePlatform, wantedPlatform } from './platform.ts';
import { type LayerStep, layerLine, throttled } from './progress.ts';
import type { ImageRow, ImageRows, NameRow } from './rows.ts';
import type { ImageEvent, PushRequest } from './types.ts';

export type PushContext = {
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly pins: Pins;
  readonly settings: RegistrySettings;
  readonly limits: RegistryLimits;
  readonly compress: Compressor;
  readonly configOf: (id: Digest) => ImageConfig;
  readonly onEvent: (event: ImageEvent) => void;
};

/** As many as dockerd sends at a time (max-concurrent-uploads). */
const MAX_UPLOADS = 5;

/**
 * Pushes one tag of a repository, or all that it has. An image that came from a registry goes as it came, manifest and
 * all: its digest stays. Throws as `ImageStore.push` says.
 */
export async function pushImage(context: PushContext, request: PushRequest): Promise<void> {
  const reference = targetOf(request);
  const name = familiarName(reference);
  const fullName = `${reference.domain}/${reference.path}`;
  const { signal, onProgress, auth } = request;
  const wanted = wantedPlatform(request.platform);
  const named = () => namesToPush(context.rows, { reference, fullName, name });
  if (wanted !== undefined) {
    for (const { tag, imageId } of named())
      requirePlatform(context.configOf(imageId), { wanted, name: `${name}:${tag}` });
  }
  onProgress({ status: `The push refers to repository [${fullName}]` });
  const targets = named();
  const { settings, limits } = context;
  const place = { domain: reference.domain, path: reference.path, name };
  const repository = openRepository({ ...place, settings, limits, credentials: auth, push: true });
  try {
    for (const target of targets) {
      const job = { target, name, repository, signal, onProgress, domain: reference.domain };
      const { digest, sizeBytes } = await pushTag(context, job);
      const { tag, imageId } = target;
      onProgress({ status: `${tag}: digest: ${digest} size: ${sizeBytes}` });
      onProgress({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: sizeBytes } });
      // It may have been removed meanwhile.
      if (context.rows.image(imageId)?.removed === false)
        context.rows.addDigest({ repository: fullName, digest, imageId });
      context.onEvent({ action: 'push', id: `${name}:${tag}`, name });
    }
  } catch (error) {
    if (signal.aborted)
      throw new BerthError('cancelled', `the push of ${name} was cancelled`, { cause: error });
    throw error;
  }
}

/** What is to be pushed; without a tag where all are meant. */
function targetOf({ name, tag = '' }: PushRequest): Reference {
  const given = parseReference(name);
  if (given.digest !== undefined || tag.includes(':'))
    throw new BerthError('invalid', 'cannot push a digest reference', {
      hint: 'berth tag gives it a name; push that',
    });
  const hasTag = name.lastIndexOf(':') > name.lastIndexOf('/');
  if (tag === '') return hasTag ? given : { ...given, tag: undefined };
  return parseReference(`${given.domain}/${given.path}:${tag}`);
}

/** The words are dockerd's. */
function namesToPush(
  rows: ImageRows,
  {
    reference,
    fullName,
    name,
  }: { readonly reference: Reference; readonly fullName: string; readonly name: string },
): readonly NameRow[] {
  const all = rows.names().filter(({ repository }) => repository === fullName);
  const hint = 'berth images lists the names that there are; berth tag gives one';
  if (all.length === 0)
    throw new BerthError('notFound', `An image does not exist locally with the tag: ${name}`, { hint });
  if (reference.tag === undefined) return all;
  const found = all.filter(({ tag }) => tag === reference.tag);
  if (found.length === 0)
    throw new BerthError('notFound', `tag does not exist: ${name}:${reference.tag}`, { hint });
  return found;
}

type Job = {
  readonly target: NameRow;
  readonly name: string;
  readonly domain: string;
  readonly repository: Repository;
  readonly signal: AbortSignal;
  readonly onProgress: PushRequest['onProgress'];
};

type Sent = { readonly digest: Digest; readonly sizeBytes: number };

async function pushTag(context: PushContext, job: Job): Promise<Sent> {
  const { rows, pins } = context;
  const image = rows.image(job.target.imageId);
  if (image === undefined)
    throw new BerthError('notFound', `${job.name}:${job.target.tag} has just been removed`);
  const diffIds = rows.diffIdsOf(image.id);
  const pinned = pins.keep([...diffIds, image.id, image.manifestDigest]);
  try {
    const what = `${job.name}:${job.target.tag}`;
    const sent =
      image.manifestDigest === image.id
        ? undefined
        : await pushAsItCame(context, { ...job, image, diffIds, what });
    return sent ?? (await pushMade(context, { ...job, image, diffIds, what }));
  } finally {
    pinned[Symbol.dispose]();
    await collect(context, [image.id, image.manifestDigest]);
  }
}

type ImageJob = Job & {
  readonly image: ImageRow;
  readonly diffIds: readonly Digest[];
  readonly what: string;
};

/** Pushes the manifest that the image came with; undefined where a layer's blob is neither here nor there. */
async function pushAsItCame(context: PushContext, job: ImageJob): Promise<Sent | undefined> {
  const { content } = context;
  const { image, repository, what, signal } = job;
  const bytes = content.read(image.manifestDigest);
  const manifest = parseManifest(bytes, undefined, what);
  if (manifest.kind !== 'image') return undefined;
  const files = await Promise.all(manifest.layers.map(({ digest }) => findBlobFile(context, digest)));
  for (const [index, { digest }] of manifest.layers.entries()) {
    if (files[index] !== undefined) continue;
    const there = await repository.findBlob({ blob: { digest }, seenIn: [], what, signal });
    if (there === undefined) return undefined;
  }
  await eachLayer(job, async ({ index, ...layer }) => {
    const [blob, file] = [manifest.layers[index], files[index]];
    if (blob === undefined || file === undefined) return layer.onStep({ status: 'Layer already exists' });
    await pushLayer(context, { ...job, ...layer, digest: blob.digest, file });
  });
  await pushConfig(context, job);
  const { mediaType } = manifest;
  await repository.putManifest({
    tag: job.target.tag,
    bytes,
    digest: image.manifestDigest,
    mediaType,
    signal,
  });
  return { digest: image.manifestDigest, sizeBytes: bytes.length };
}

/** Pushes an image under a manifest of our own: one that was made here, or whose blobs are not what they were. */
async function pushMade(context: PushContext, job: ImageJob): Promise<Sent> {
  const { rows, content, compress } = context;
  const { image, repository, signal } = job;
  const blobs: LayerBlob[] = [];
  await eachLayer(job, async ({ index, ...layer }) => {
    const blob = await compress(layer);
    blobs[index] = blob;
    const file = { path: content.pathOf(blob.digest), sizeBytes: blob.sizeBytes };
    await pushLayer(context, { ...job, ...layer, digest: blob.digest, file });
  });
  const config = await pushConfig(context, job);
  const bytes = madeManifest(image.id, config.length, blobs);
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  await repository.putManifest({ tag: job.target.tag, bytes, digest, mediaType: OCI_MANIFEST, signal });
  // From now on that is its manifest: the next push has the same digest.
  if (image.manifestDigest === image.id && rows.image(image.id) !== undefined) {
    await content.put(bytes);
    rows.setManifest(image.id, digest);
  }
  return { digest, sizeBytes: bytes.length };
}

/** Does something with each layer, a few at a time, the uppermost first. When one fails the others are stopped. */
async function eachLayer(
  job: ImageJob,
  work: (layer: {
    readonly diffId: Digest;
    readonly index: number;
    readonly signal: AbortSignal;
    readonly onStep: (step: LayerStep) => void;
  }) => Promise<void> | void,
): Promise<void> {
  const slots = createSlots(MAX_UPLOADS);
  const failed = new AbortController();
  const signal = AbortSignal.any([job.signal, failed.signal]);
  const order = job.diffIds.map((diffId, index) => ({ diffId, index })).toReversed();
  const say = (diffId: Digest, step: LayerStep) => job.onProgress(layerLine(shortDigest(diffId), step));
  for (const { diffId } of order) say(diffId, { status: 'Preparing' });
  for (const { diffId } of order.slice(MAX_UPLOADS)) say(diffId, { status: 'Waiting' });
  let first: unknown;
  await Promise.all(
    order.map(async ({ diffId, index }) => {
      const onStep = throttled((step) => say(diffId, step));
      try {
        using _ = await slots.take(signal);
        await work({ diffId, index, signal, onStep });
      } catch (error) {
        first ??= error;
        failed.abort();
      }
    }),
  );
  if (first !== undefined) throw first;
}

async function pushLayer(
  { rows }: PushContext,
  job: ImageJob & {
    readonly digest: Digest;
    readonly file: BlobFile;
    readonly onStep: (step: LayerStep) => void;
  },
): Promise<void> {
  const { digest, file, repository, target, domain, signal, onStep } = job;
  const total = file.sizeBytes;
  const prefix = `${domain}/`;
  const seenIn = rows.blobs
    .sources(digest)
    .filter((source) => source.startsWith(prefix) && source !== target.repository)
    .map((source) => source.slice(prefix.length));
  const uploaded = await repository.uploadBlob({
    blob: outgoing(digest, file),
    seenIn,
    what: `layer ${shortDigest(digest)} of ${job.what}`,
    signal,
    onBytes: (current) => onStep({ status: 'Pushing', current, total }),
  });
  rows.blobs.addSource(digest, target.repository);
  onStep({ status: statusOf(uploaded) });
}

function statusOf(uploaded: Uploaded) {
  switch (uploaded.how) {
    case 'exists':
      return 'Layer already exists' as const;
    case 'mounted':
      return `Mounted from ${uploaded.from}` as const;
    case 'sent':
      return 'Pushed' as const;
  }
}

async function pushConfig({ content }: PushContext, job: ImageJob): Promise<Buffer> {
  const { image, repository, what, signal } = job;
  const bytes = content.read(image.id);
  const blob: OutgoingBlob = {
    digest: image.id,
    sizeBytes: bytes.length,
    read: async function* (start, end) {
      yield bytes.subarray(start, end);
    },
  };
  await repository.uploadBlob({ blob, seenIn: [], what: `the config of ${what}`, signal });
  return bytes;
}

function outgoing(digest: Digest, { path, sizeBytes }: BlobFile): OutgoingBlob {
  return {
    digest,
    sizeBytes,
    read: async function* (start, end) {
      if (end > start) yield* createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024 });
    },
  };
}

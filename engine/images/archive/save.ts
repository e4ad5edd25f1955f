import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type Digest, hexOf } from '../../api/digest.ts';
import { BerthError } from '../../api/errors.ts';
import { parseReference } from '../../api/reference.ts';
import type { ContentStore } from '../../content/store.ts';
import type { LayerStore } from '../../layers/types.ts';
import { OCI_INDEX, OCI_MANIFEST, type Platform, parseManifest } from '../../registry/manifest.ts';
import { ARCHIVE_END, encodeHeader, paddingAfter } from '../../tar/writer.ts';
import type { Pins } from '../collect.ts';
import type { ImageConfig } from '../config.ts';
import { findImage, repositoryText, tagText } from '../find.ts';
import { findBlobFile, openArchive } from '../layer-archive.ts';
import { compressionOfType, layerType } from '../layer-types.ts';
import { madeManifest } from '../made-manifest.ts';
import { platformOf, requirePlatform, wantedPlatform } from '../platform.ts';
import type { ImageRow, ImageRows, NameRow } from '../rows.ts';
import type { ImageEvent } from '../types.ts';

export type SaveContext = {
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly pins: Pins;
  readonly configOf: (id: Digest) => ImageConfig;
  readonly onEvent: (event: ImageEvent) => void;
};

type Blob = {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly read: () => AsyncIterable<Uint8Array>;
};
type Saved = {
  readonly image: ImageRow;
  readonly names: readonly NameRow[];
  readonly platform: Platform;
  readonly config: Blob;
  readonly manifest: Blob & { readonly mediaType: string };
  readonly layers: readonly Blob[];
};

/**
 * An archive of images that is both an OCI layout and docker's own (`manifest.json`), as docker 25 and later write it:
 * older ones and podman read either. Layers are as they came, and the manifest with them, where all tools read their
 * compression; else they are not compressed. The same images give the same bytes. Throws `notFound` on a name, or a
 * platform that an image is not for; before anything is written.
 */
export async function saveImages(
  context: SaveContext,
  options: { readonly names: readonly string[]; readonly platform?: string | undefined },
): Promise<AsyncGenerator<Uint8Array>> {
  const wanted = wantedPlatform(options.platform);
  const chosen = chooseImages(context.rows, options.names);
  for (const { image, name } of chosen.values())
    requirePlatform(context.configOf(image.id), { wanted, name });
  await using undo = new AsyncDisposableStack();
  for (const { image } of chosen.values())
    undo.use(context.pins.keep([image.id, image.manifestDigest, ...context.rows.diffIdsOf(image.id)]));
  const saved: Saved[] = [];
  for (const { image, names } of chosen.values()) saved.push(await prepare(context, { image, names, undo }));
  for (const { id } of saved.map(({ image }) => image)) context.onEvent({ action: 'save', id, name: id });
  const kept = undo.move();
  return (async function* () {
    try {
      yield* archiveOf(saved);
    } finally {
      await kept.disposeAsync();
    }
  })();
}

/** A repository without a tag stands for all its tags, as with docker. */
function chooseImages(rows: ImageRows, names: readonly string[]) {
  const chosen = new Map<
    Digest,
    { readonly image: ImageRow; readonly name: string; names: readonly NameRow[] }
  >();
  if (names.length === 0) throw new BerthError('invalid', 'no image is named', { hint: 'berth save IMAGE' });
  const add = (image: ImageRow, name: string, more: readonly NameRow[]) => {
    const before = chosen.get(image.id)?.names ?? [];
    const fresh = more.filter((row) => !before.some((other) => tagText(other) === tagText(row)));
    chosen.set(image.id, { image, name, names: [...before, ...fresh] });
  };
  for (const name of names) {
    const tags = bareTags(rows, name);
    for (const row of tags) {
      const image = rows.image(row.imageId);
      if (image !== undefined) add(image, name, [row]);
    }
    if (tags.length > 0) continue;
    const found = findImage(rows, name);
    add(found.image, name, found.by === 'name' ? [found.name] : []);
  }
  return chosen;
}

function bareTags(rows: ImageRows, name: string): readonly NameRow[] {
  if (name.includes('@') || name.lastIndexOf(':') > name.lastIndexOf('/')) return [];
  try {
    const { domain, path } = parseReference(name);
    return rows.names().filter(({ repository }) => repository === `${domain}/${path}`);
  } catch {
    // An id, or nothing: who looks for it says so.
    return [];
  }
}

async function prepare(
  context: SaveContext,
  {
    image,
    names,
    undo,
  }: { readonly image: ImageRow; readonly names: readonly NameRow[]; readonly undo: AsyncDisposableStack },
): Promise<Saved> {
  const { content, configOf } = context;
  const common = {
    image,
    names,
    platform: platformOf(configOf(image.id)),
    config: bytesBlob(content.read(image.id)),
  };
  const asItCame = await originalOf(context, image);
  if (asItCame !== undefined) return { ...common, ...asItCame };
  const layers: Blob[] = [];
  for (const diffId of context.rows.diffIdsOf(image.id))
    layers.push(await plainLayer(context, { diffId, undo }));
  const typed = layers.map((layer) => ({ ...layer, mediaType: layerType('none') }));
  const manifest = bytesBlob(madeManifest(image.id, common.config.sizeBytes, typed));
  return { ...common, layers, manifest: { ...manifest, mediaType: OCI_MANIFEST } };
}

/** Manifest and layers as they came; undefined where a blob is not there, or is one that docker 20.10 can't read. */
async function originalOf(
  context: SaveContext,
  image: ImageRow,
): Promise<Pick<Saved, 'manifest' | 'layers'> | undefined> {
  if (image.manifestDigest === image.id) return undefined;
  const bytes = context.content.read(image.manifestDigest);
  const manifest = parseManifest(bytes, undefined, image.id);
  if (manifest.kind !== 'image') return undefined;
  const layers: Blob[] = [];
  for (const { digest, mediaType } of manifest.layers) {
    const file = await findBlobFile(context, digest);
    if (file === undefined || compressionOfType(mediaType) === 'zstd') return undefined;
    layers.push({ digest, sizeBytes: file.sizeBytes, read: () => readChecked(file, digest) });
  }
  return { manifest: { ...bytesBlob(bytes), mediaType: manifest.mediaType }, layers };
}

async function plainLayer(
  context: SaveContext,
  { diffId, undo }: { readonly diffId: Digest; readonly undo: AsyncDisposableStack },
): Promise<Blob> {
  const { sizeBytes, stream } = await openArchive(context, diffId);
  if (sizeBytes !== undefined) return { digest: diffId, sizeBytes, read: stream };
  // A header of tar says how long a file is: it has to be known beforehand.
  const file = undo.use(await context.content.take(stream()));
  return { digest: diffId, sizeBytes: file.sizeBytes, read: () => readChecked(file, diffId) };
}

async function* readChecked(
  { path, sizeBytes }: { readonly path: string; readonly sizeBytes: number },
  digest: Digest,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let read = 0;
  const pieces =
    sizeBytes === 0 ? [] : createReadStream(path, { end: sizeBytes - 1, highWaterMark: 512 * 1024 });
  for await (const piece of pieces as AsyncIterable<Buffer>) {
    hash.update(piece);
    read += piece.length;
    yield piece;
  }
  if (read === sizeBytes && `sha256:${hash.digest('hex')}` === digest) return;
  throw new BerthError('internal', `what the store has for ${digest} is damaged`, {
    hint: 'pull the image again',
  });
}

function bytesBlob(bytes: Buffer): Blob {
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {
    digest,
    sizeBytes: bytes.length,
    read: async function* () {
      yield bytes;
    },
  };
}

const descriptorOf = ({ digest, sizeBytes }: Blob, mediaType: string) => ({
  mediaType,
  digest,
  size: sizeBytes,
});
const pathOf = (digest: Digest) => `blobs/sha256/${hexOf(digest)}`;

async function* archiveOf(saved: readonly Saved[]): AsyncGenerator<Uint8Array> {
  yield headerOf('blobs/', '5', 0);
  yield headerOf('blobs/sha256/', '5', 0);
  const written = new Set<Digest>();
  for (const { config, layers, manifest } of saved) {
    for (const blob of [...layers, config, manifest]) {
      if (written.has(blob.digest)) continue;
      written.add(blob.digest);
      yield* fileOf(pathOf(blob.digest), blob);
    }
  }
  yield* fileOf('index.json', jsonBlob(indexOf(saved)));
  yield* fileOf('manifest.json', jsonBlob(listOf(saved)));
  yield* fileOf('oci-layout', jsonBlob({ imageLayoutVersion: '1.0.0' }));
  yield* fileOf('repositories', jsonBlob(repositoriesOf(saved)));
  yield ARCHIVE_END;
}

const jsonBlob = (value: unknown) => bytesBlob(Buffer.from(JSON.stringify(value)));

async function* fileOf(name: string, { sizeBytes, read }: Blob): AsyncGenerator<Uint8Array> {
  yield headerOf(name, '0', sizeBytes);
  yield* read();
  yield paddingAfter(sizeBytes);
}

function headerOf(name: string, flag: '0' | '5', sizeBytes: number): Buffer {
  const mode = flag === '5' ? 0o755 : 0o644;
  return encodeHeader({ flag, name, mode, uid: 0, gid: 0, sizeBytes, mtime: { seconds: 0, nanoseconds: 0 } });
}

/** OCI image spec, image-layout.md; the names are containerd's and OCI's annotations, as docker writes them. */
function indexOf(saved: readonly Saved[]): object {
  const manifests = saved.flatMap(({ names, manifest, platform }) => {
    const descriptor = { ...descriptorOf(manifest, manifest.mediaType), platform };
    if (names.length === 0) return [descriptor];
    return names.map(({ repository, tag }) => ({
      ...descriptor,
      annotations: {
        'io.containerd.image.name': `${repository}:${tag}`,
        'org.opencontainers.image.ref.name': tag,
      },
    }));
  });
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
}

function listOf(saved: readonly Saved[]): object {
  return saved.map(({ config, names, layers }) => ({
    Config: pathOf(config.digest),
    RepoTags: names.length === 0 ? null : names.map(tagText),
    Layers: layers.map(({ digest }) => pathOf(digest)),
  }));
}

/** What docker had before `manifest.json`: repository, tag, and the uppermost layer. */
function repositoriesOf(saved: readonly Saved[]): object {
  const all: Record<string, Record<string, string>> = {};
  for (const { names, layers } of saved) {
    const top = layers.at(-1);
    if (top === undefined) continue;
    for (const { repository, tag } of names) {
      const name = repositoryText(repository);
      all[name] = { ...all[name], [tag]: hexOf(top.digest) };
    }
  }
  return all;
}

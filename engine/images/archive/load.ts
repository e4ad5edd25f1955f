import { type Digest, shortDigest } from '../../api/digest.ts';
import { BerthError } from '../../api/errors.ts';
import { familiarReference, parseReference } from '../../api/reference.ts';
import type { ContentStore } from '../../content/store.ts';
import { compressionOfFile } from '../../layers/decompress.ts';
import type { LayerLimits, LayerStore } from '../../layers/types.ts';
import { collect, type Pins } from '../collect.ts';
import { diskError } from '../disk.ts';
import { keepLayer } from '../keep-layer.ts';
import { layerType } from '../layer-types.ts';
import { wantedPlatform } from '../platform.ts';
import { layerLine, throttled } from '../progress.ts';
import type { ImageRows } from '../rows.ts';
import type { ImageEvent, LoadRequest } from '../types.ts';
import { type ArchivedImage, imagesIn } from './contents.ts';
import { unpackImages } from './unpack.ts';

export type LoadContext = {
  readonly root: string;
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly pins: Pins;
  readonly layerLimits: LayerLimits;
  readonly onEvent: (event: ImageEvent) => void;
};

/** Keeps the images of an archive, under the names that it gives them. Throws as `ImageStore.load` says. */
export async function loadImages(context: LoadContext, request: LoadRequest): Promise<void> {
  const { archive, signal } = request;
  const wanted = wantedPlatform(request.platform);
  try {
    await using files = await unpackImages(context.content, { archive, limits: context.layerLimits, signal });
    for (const image of await imagesIn(files, wanted)) await loadImage(context, image, request);
  } catch (error) {
    if (signal.aborted) throw new BerthError('cancelled', 'the load was cancelled', { cause: error });
    throw diskError(error, { doing: 'loading images', root: context.root });
  }
}

async function loadImage(context: LoadContext, image: ArchivedImage, request: LoadRequest): Promise<void> {
  const { rows, content, pins } = context;
  const { id, config, manifest } = image;
  const blobs: readonly Digest[] = [id, ...(manifest === undefined ? [] : [manifest.digest])];
  const pinned = pins.keep([...config.diffIds, ...blobs]);
  try {
    for (const [index, diffId] of config.diffIds.entries())
      await loadLayer(context, { diffId, layer: image.layers[index], request });
    await content.put(image.configBytes);
    if (manifest !== undefined) await content.put(manifest.bytes);
    rows.addImage({
      id,
      manifestDigest: manifest?.digest ?? id,
      layers: config.diffIds,
      name: undefined,
      digest: undefined,
    });
  } finally {
    pinned[Symbol.dispose]();
    await collect(context, blobs);
  }
  nameImage(context, image, request);
  context.onEvent({ action: 'load', id, name: id });
}

async function loadLayer(
  context: LoadContext,
  {
    diffId,
    layer,
    request,
  }: {
    readonly diffId: Digest;
    readonly layer: ArchivedImage['layers'][number] | undefined;
    readonly request: LoadRequest;
  },
): Promise<void> {
  if (layer === undefined || context.rows.layer(diffId) !== undefined) return;
  const { blob } = layer;
  const total = blob.sizeBytes;
  const emit = throttled((step) => request.quiet || request.onProgress(layerLine(shortDigest(diffId), step)));
  // A media type may be missing, or wrong; the bytes say.
  const mediaType = layerType(await compressionOfFile(blob.path));
  const onProgress = (current: number) => emit({ status: 'Loading layer', current, total });
  await keepLayer(context, { blob, diffId, mediaType, signal: request.signal, onProgress });
  onProgress(total);
}

/** Gives an image its names; the words are dockerd's. */
function nameImage({ rows, onEvent }: LoadContext, { id, names }: ArchivedImage, request: LoadRequest): void {
  const say = (stream: string) => request.onProgress({ stream: `${stream}\n` });
  for (const name of names) {
    const reference = parseReference(name);
    const { tag } = reference;
    if (tag === undefined) continue;
    const shown = familiarReference(reference);
    const repository = `${reference.domain}/${reference.path}`;
    const before = rows.named(repository, tag);
    if (before !== undefined && before.imageId !== id)
      say(
        `The image ${shown} already exists, renaming the old one with ID ${before.imageId} to empty string`,
      );
    rows.addName({ repository, tag, imageId: id });
    onEvent({ action: 'tag', id, name: shown });
    say(`Loaded image: ${shown}`);
  }
  if (names.size === 0) say(`Loaded image ID: ${id}`);
}

import type { Digest } from '../../api/digest.ts';
import { BerthError } from '../../api/errors.ts';
import { familiarReference, parseReference } from '../../api/reference.ts';
import type { ReceivedBlob } from '../../content/store.ts';
import { type Descriptor, type Manifest, type Platform, parseManifest } from '../../registry/manifest.ts';
import { choosePlatform, formatPlatform, hostPlatform, suits } from '../../registry/platform.ts';
import { type ImageConfig, parseImageConfig } from '../config.ts';
import { layerType } from '../layer-types.ts';
import { platformOf } from '../platform.ts';
import { type ImageFiles, readSmall } from './unpack.ts';

/** An image in an archive. */
export type ArchivedImage = {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly configBytes: Buffer;
  /** Lowest first. */
  readonly layers: readonly { readonly blob: ReceivedBlob; readonly mediaType: string }[];
  /** Undefined in archives of docker's own layout, which have none. */
  readonly manifest: { readonly bytes: Buffer; readonly digest: Digest } | undefined;
  readonly names: ReadonlySet<string>;
};

const MAX_CONFIG_BYTES = 8 * 2 ** 20;
const MAX_INDEX_DEPTH = 3;
const MAX_IMAGES = 1_000;
/** containerd's whole name; OCI's is a tag, or whatever the tool that wrote it thought a name to be. */
const NAME = 'io.containerd.image.name';
const REF_NAME = 'org.opencontainers.image.ref.name';
const IS_ATTESTATION = 'vnd.docker.reference.type';

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The images of an archive: of an OCI layout (image-layout.md), of docker's (`manifest.json`), or of one that is both,
 * as docker 25 and later write. Throws `invalid` on what is none or contradicts itself, `notFound` where nothing is for
 * the platform wanted.
 */
export async function imagesIn(
  files: ImageFiles,
  wanted: Platform | undefined,
): Promise<readonly ArchivedImage[]> {
  const docker = await files.json('manifest.json');
  const index = files.find('oci-layout') === undefined ? undefined : files.find('index.json');
  const found =
    index === undefined
      ? await dockerImages(files, docker)
      : await layoutImages(files, { index, docker, wanted });
  if (found.length === 0)
    throw new BerthError('invalid', 'there is no image in the archive', {
      hint: 'an archive as berth save or docker save writes it; berth import takes one of files',
    });
  if (wanted === undefined) return found;
  const suited = found.filter(({ config }) => suits(platformOf(config), wanted));
  if (suited.length > 0) return suited;
  const there = [...new Set(found.map(({ config }) => formatPlatform(platformOf(config))))];
  throw new BerthError('notFound', `the archive has no image for ${formatPlatform(wanted)}`, {
    hint: `it has ${there.join(', ')}: choose with --platform`,
  });
}

async function dockerImages(files: ImageFiles, listed: unknown): Promise<readonly ArchivedImage[]> {
  if (listed === undefined) return [];
  const items = readListed(listed);
  return await Promise.all(
    items.map(async ({ config: path, tags, layers }) => {
      const file = files.find(path);
      if (file === undefined) throw new BerthError('invalid', `the archive lacks the config '${path}'`);
      const image = await readConfig(file, path);
      const blobs = layers.map((layer) => {
        const blob = files.find(layer);
        if (blob === undefined) throw new BerthError('invalid', `the archive lacks the layer '${layer}'`);
        return { blob, mediaType: layerType('none') };
      });
      return checkLayers({ ...image, layers: blobs, manifest: undefined, names: new Set(tags) }, path);
    }),
  );
}

/** docker's list of images: `[{"Config": …, "RepoTags": […], "Layers": […]}]`. */
function readListed(value: unknown): readonly {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}[] {
  const wrong = (why: string) =>
    new BerthError('invalid', `manifest.json in the archive is malformed: ${why}`);
  if (!Array.isArray(value)) throw wrong('it is not a list');
  if (value.length > MAX_IMAGES) throw wrong(`it lists more than ${MAX_IMAGES} images`);
  const isTexts = (list: unknown): list is readonly string[] =>
    Array.isArray(list) && list.every((item) => typeof item === 'string');
  return value.map((item: unknown) => {
    if (!isObject(item) || typeof item.Config !== 'string') throw wrong('an image has no Config');
    const { Config: config, RepoTags: tags = null, Layers: layers = null } = item;
    if (layers !== null && !isTexts(layers)) throw wrong('Layers is not a list of names');
    if (tags !== null && !isTexts(tags)) throw wrong('RepoTags is not a list of names');
    return { config, tags: (tags ?? []).map(shownName), layers: layers ?? [] };
  });
}

type Layout = {
  readonly index: ReceivedBlob;
  readonly docker: unknown;
  readonly wanted: Platform | undefined;
};

async function layoutImages(
  files: ImageFiles,
  { index, docker, wanted }: Layout,
): Promise<readonly ArchivedImage[]> {
  const bytes = await readSmall(index, 'index.json');
  const top = parseManifest(bytes, undefined, 'the archive');
  const { manifests: raw } = JSON.parse(bytes.toString()) as { readonly manifests: readonly Json[] };
  if (top.kind !== 'index') throw new BerthError('invalid', 'index.json in the archive is no index');
  const listed = docker === undefined ? [] : readListed(docker);
  const images = new Map<Digest, ArchivedImage>();
  for (const [position, descriptor] of top.manifests.entries()) {
    const { annotations } = raw[position] ?? {};
    const notes = isObject(annotations) ? annotations : {};
    if (IS_ATTESTATION in notes || descriptor.platform?.os === 'unknown') continue;
    const image = await layoutImage(files, { descriptor, wanted: wanted ?? hostPlatform() });
    const before = images.get(image.id);
    const names = new Set([...(before?.names ?? []), ...nameIn(notes)]);
    images.set(image.id, { ...(before ?? image), names });
    if (images.size > MAX_IMAGES)
      throw new BerthError('invalid', `the archive has more than ${MAX_IMAGES} images`);
  }
  for (const { config, tags } of listed) {
    const id = files.find(config)?.digest;
    const image = id === undefined ? undefined : images.get(id);
    if (image !== undefined) images.set(image.id, { ...image, names: new Set([...image.names, ...tags]) });
  }
  return [...images.values()];
}

/** A name as people write it. Throws `invalid`. */
const shownName = (name: string) => familiarReference(parseReference(name));

function nameIn(annotations: Json): readonly string[] {
  const [whole, name] = [annotations[NAME], annotations[REF_NAME]];
  if (typeof whole === 'string') return [shownName(whole)];
  // A tag alone names no repository.
  return typeof name === 'string' && /[/:]/.test(name) ? [shownName(name)] : [];
}

async function layoutImage(
  files: ImageFiles,
  { descriptor, wanted }: { readonly descriptor: Descriptor; readonly wanted: Platform },
): Promise<ArchivedImage> {
  let at = descriptor;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth += 1) {
    const what = `the manifest ${at.digest}`;
    const file = checkedBlob(files, at, what);
    const bytes = await readSmall(file, what);
    const manifest: Manifest = parseManifest(bytes, at.mediaType, what);
    if (manifest.kind === 'index') {
      at = choosePlatform(manifest.manifests, wanted, 'the archive');
      continue;
    }
    const { config, layers } = manifest;
    const image = await readConfig(checkedBlob(files, config, 'the config'), 'the config');
    const blobs = layers.map((layer) => ({
      blob: checkedBlob(files, layer, 'a layer'),
      mediaType: layer.mediaType,
    }));
    return checkLayers(
      { ...image, layers: blobs, manifest: { bytes, digest: at.digest }, names: new Set() },
      what,
    );
  }
  throw new BerthError('invalid', `the archive's index lists indexes more than ${MAX_INDEX_DEPTH} deep`);
}

function checkedBlob(files: ImageFiles, { digest, sizeBytes }: Descriptor, what: string): ReceivedBlob {
  const file = files.blob(digest, what);
  if (file.sizeBytes === sizeBytes) return file;
  throw new BerthError(
    'invalid',
    `${what} in the archive has ${file.sizeBytes} bytes where ${sizeBytes} were promised`,
  );
}

async function readConfig(file: ReceivedBlob, what: string) {
  const configBytes = await readSmall(file, what, MAX_CONFIG_BYTES);
  const config = parseImageConfig(configBytes, what);
  if (config.os !== 'linux')
    throw new BerthError('unsupported', `the archive holds an image for ${config.os}, which can't run here`);
  return { id: file.digest, config, configBytes };
}

function checkLayers(image: ArchivedImage, what: string): ArchivedImage {
  const { layers, config } = image;
  if (layers.length !== config.diffIds.length)
    throw new BerthError(
      'invalid',
      `the archive has ${layers.length} layers of ${what}, whose config names ${config.diffIds.length}`,
    );
  return image;
}

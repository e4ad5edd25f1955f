import { type Digest, parseDigest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';

/**
 * Manifests and indexes as registries serve them: OCI image spec 1.1 (manifest.md, image-index.md) and Docker's
 * image manifest version 2, schema 2. What a registry says is hostile: everything used is checked here.
 */

export type Descriptor = { readonly mediaType: string; readonly digest: Digest; readonly sizeBytes: number };
export type Platform = { readonly os: string; readonly architecture: string; readonly variant?: string };
export type PlatformDescriptor = Descriptor & { readonly platform: Platform | undefined };

export type Manifest =
  | {
      readonly kind: 'image';
      readonly mediaType: string;
      readonly config: Descriptor;
      readonly layers: readonly Descriptor[];
    }
  | { readonly kind: 'index'; readonly mediaType: string; readonly manifests: readonly PlatformDescriptor[] };

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const IMAGE_TYPES = [OCI_MANIFEST, 'application/vnd.docker.distribution.manifest.v2+json'];
const INDEX_TYPES = [OCI_INDEX, 'application/vnd.docker.distribution.manifest.list.v2+json'];
const CONFIG_TYPES = [OCI_CONFIG, 'application/vnd.docker.container.image.v1+json'];
const LAYER_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)(?:[.+](?:gzip|zstd))?$/;
const FOREIGN_TYPE = /nondistributable|\.foreign\./;

/** What the client understands, for `Accept`. */
export const ACCEPT_MANIFESTS = [...IMAGE_TYPES, ...INDEX_TYPES].join(', ');

/** overlay takes more, but its options have to fit into one page; dockerd's limit is 125. */
const MAX_LAYERS = 127;
const MAX_INDEX_ENTRIES = 1_000;

/**
 * Reads a manifest. `mediaType` is the registry's Content-Type; what the manifest says of itself comes first.
 * Throws `invalid` when it is none, and `unsupported` on schema 1, foreign layers and artifacts that are no images.
 */
export function parseManifest(bytes: Buffer, mediaType: string | undefined, what: string): Manifest {
  const value = parseJson(bytes, what);
  const declared = typeof value.mediaType === 'string' ? value.mediaType : undefined;
  const type = declared ?? mediaType?.split(';')[0]?.trim() ?? '';
  if (value.schemaVersion === 1 || type.startsWith('application/vnd.docker.distribution.manifest.v1+')) {
    throw new BerthError(
      'unsupported',
      `${what} has a manifest of Docker's schema 1, which is not supported`,
      {
        hint: 'push it again with a current tool',
      },
    );
  }
  if (value.schemaVersion !== 2) {
    throw new BerthError(
      'invalid',
      `the manifest of ${what} has schema version ${shown(value.schemaVersion)}, not 2`,
    );
  }
  // OCI manifests may leave the media type out; then what is in them tells.
  if (INDEX_TYPES.includes(type) || (!IMAGE_TYPES.includes(type) && Array.isArray(value.manifests))) {
    return readIndex(value, INDEX_TYPES.includes(type) ? type : OCI_INDEX, what);
  }
  if (IMAGE_TYPES.includes(type) || Array.isArray(value.layers))
    return readImage(value, IMAGE_TYPES.includes(type) ? type : OCI_MANIFEST, what);
  throw new BerthError('unsupported', `${what} has a manifest of an unknown type: '${type.slice(0, 100)}'`);
}

type Json = Readonly<Record<string, unknown>>;

/** Parses a JSON object. Throws `invalid`, saying what came instead. */
export function parseJson(bytes: Buffer, what: string): Json {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // Said below, in words.
  }
  const html = /^\s*<(?:!doctype|html|head|body)/i.test(bytes.subarray(0, 256).toString());
  throw new BerthError(
    'invalid',
    `the registry answered for ${what} with ${html ? 'an HTML page' : 'something that is no JSON object'}`,
    {
      hint: "check the registry's address: a proxy or a login page may answer in its place",
    },
  );
}

function readImage(value: Json, mediaType: string, what: string): Manifest {
  const config = readDescriptor(value.config, `the config of ${what}`);
  if (!CONFIG_TYPES.includes(config.mediaType)) {
    throw new BerthError(
      'unsupported',
      `${what} is not a container image: its config is of type '${config.mediaType}'`,
    );
  }
  if (!Array.isArray(value.layers))
    throw new BerthError('invalid', `the manifest of ${what} has no list of layers`);
  if (value.layers.length > MAX_LAYERS) {
    throw new BerthError(
      'unsupported',
      `${what} has ${value.layers.length} layers; ${MAX_LAYERS} is the most that can be mounted`,
    );
  }
  const layers = value.layers.map((layer, index) => readLayer(layer, `layer ${index + 1} of ${what}`));
  return { kind: 'image', mediaType, config, layers };
}

function readLayer(value: unknown, what: string): Descriptor {
  const layer = readDescriptor(value, what);
  if (FOREIGN_TYPE.test(layer.mediaType)) {
    throw new BerthError(
      'unsupported',
      `${what} is not in the registry: its type '${layer.mediaType}' is not distributable`,
      {
        hint: 'such layers are of Windows images, or of images whose licence forbids to copy them',
      },
    );
  }
  if (!LAYER_TYPE.test(layer.mediaType)) {
    throw new BerthError('unsupported', `${what} is of an unknown type: '${layer.mediaType}'`);
  }
  return layer;
}

function readIndex(value: Json, mediaType: string, what: string): Manifest {
  if (!Array.isArray(value.manifests))
    throw new BerthError('invalid', `the index of ${what} has no list of manifests`);
  if (value.manifests.length > MAX_INDEX_ENTRIES) {
    throw new BerthError(
      'invalid',
      `the index of ${what} has ${value.manifests.length} entries; at most ${MAX_INDEX_ENTRIES} are read`,
    );
  }
  const manifests = value.manifests.map((entry: unknown) => ({
    ...readDescriptor(entry, `an entry in the index of ${what}`),
    platform: readPlatform((entry as Json).platform),
  }));
  return { kind: 'index', mediaType, manifests };
}

function readPlatform(value: unknown): Platform | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { os, architecture, variant } = value as Json;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' && variant !== '' ? { variant } : {}) };
}

function readDescriptor(value: unknown, what: string): Descriptor {
  if (typeof value !== 'object' || value === null) throw new BerthError('invalid', `${what} is missing`);
  const { mediaType, digest, size } = value as Json;
  if (typeof mediaType !== 'string' || mediaType.length > 255)
    throw new BerthError('invalid', `${what} has no media type`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new BerthError('invalid', `the size of ${what} is malformed: ${shown(size)}`);
  }
  return { mediaType, digest: parseDigest(digest, what), sizeBytes: size };
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 100);
}

import { type Digest, isDigest } from '../../api/digest.ts';
import { Refusal } from './error.ts';

/** What a manifest says that matters to who keeps it: OCI image spec v1.1, manifest.md and image-index.md. */
export type Document = {
  readonly mediaType: string;
  readonly blobs: readonly Digest[];
  readonly manifests: readonly Digest[];
  readonly subject: Digest | undefined;
};

/** What a manifest is in the list of those that refer to another: descriptor.md, with its annotations. */
export type Referrer = {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** OCI distribution spec, "Pushing Manifests": what registries should take at least. */
export const MAX_MANIFEST_BYTES = 4 * 2 ** 20;

const MEDIA_TYPE = /^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9][\w!#$&^.+-]{0,126}$/;
/** Their bytes are elsewhere, and may not be copied. */
const FOREIGN = /nondistributable|\.foreign\./;
const MAX_REFERENCES = 10_000;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a manifest of any type that has the fields of OCI's. `contentType` is what it was sent as. Throws `Refusal`:
 * MANIFEST_INVALID, DIGEST_INVALID.
 */
export function readDocument(bytes: Buffer, contentType: string | undefined): Document {
  const value = parse(bytes);
  const sent = contentType?.split(';')[0]?.trim() ?? '';
  const own = typeof value.mediaType === 'string' ? value.mediaType : undefined;
  if (sent !== '' && own !== undefined && own !== sent)
    throw invalid(`it says of itself that it is '${own.slice(0, 100)}', and was sent as '${sent}'`);
  const mediaType = own ?? sent;
  if (!MEDIA_TYPE.test(mediaType)) throw invalid(`its media type is '${mediaType.slice(0, 100)}'`);
  if (value.schemaVersion !== 2) throw invalid('its schemaVersion is not 2');
  const layers = [...list(value.layers, 'layers'), ...list(value.blobs, 'blobs')].filter(
    (layer) => !isForeign(layer),
  );
  const config = value.config === undefined ? [] : [value.config];
  const manifests = list(value.manifests, 'manifests');
  if (layers.length + manifests.length > MAX_REFERENCES)
    throw invalid(`it names more than ${MAX_REFERENCES} others`);
  if (config.length === 0 && !Array.isArray(value.layers) && !Array.isArray(value.manifests))
    throw invalid('it names neither layers nor manifests');
  return {
    mediaType,
    blobs: [...config, ...layers].map(digestIn),
    manifests: manifests.map(digestIn),
    subject: value.subject === undefined ? undefined : digestIn(value.subject),
  };
}

/** The media type of a manifest that was checked before; OCI's image where it does not say. */
export function mediaTypeOf(bytes: Buffer): string {
  const { mediaType } = parse(bytes);
  return typeof mediaType === 'string' ? mediaType : 'application/vnd.oci.image.manifest.v1+json';
}

/**
 * How a manifest is listed among those that refer to another. Its type is what it says, else the media type of its
 * config (OCI distribution spec, "Listing Referrers").
 */
export function referrerOf(
  bytes: Buffer,
  { digest, mediaType }: Pick<Referrer, 'digest' | 'mediaType'>,
): Referrer {
  const { artifactType, config, annotations } = parse(bytes);
  const configType = isObject(config) && typeof config.mediaType === 'string' ? config.mediaType : undefined;
  const type = typeof artifactType === 'string' && artifactType !== '' ? artifactType : configType;
  const texts = isObject(annotations)
    ? Object.entries(annotations).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    : [];
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(type === undefined ? {} : { artifactType: type }),
    ...(texts.length === 0 ? {} : { annotations: Object.fromEntries(texts) }),
  };
}

function parse(bytes: Buffer): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new Refusal('MANIFEST_INVALID', 'the manifest is not JSON', { cause });
  }
  throw invalid('it is not a JSON object');
}

function list(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw invalid(`its ${name} are not a list`);
}

function isForeign(value: unknown): boolean {
  return isObject(value) && typeof value.mediaType === 'string' && FOREIGN.test(value.mediaType);
}

function digestIn(value: unknown): Digest {
  if (!isObject(value)) throw invalid('one of its descriptors is not an object');
  if (typeof value.mediaType !== 'string') throw invalid('one of its descriptors has no media type');
  if (!Number.isSafeInteger(value.size) || (value.size as number) < 0)
    throw invalid('one of its descriptors has no size');
  if (isDigest(value.digest)) return value.digest;
  throw new Refusal('DIGEST_INVALID', 'the manifest names a digest that is not a sha256');
}

function invalid(why: string): Refusal {
  return new Refusal('MANIFEST_INVALID', `the manifest is refused: ${why}`);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

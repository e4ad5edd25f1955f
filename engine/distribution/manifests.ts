import { MAX_MANIFEST_BYTES } from '../images/hosted/document.ts';
import { Refusal } from '../images/hosted/error.ts';
import type { Reference } from '../images/hosted/types.ts';
import { readDigest } from './blobs.ts';
import { type Answer, type Ask, jsonAnswer, type RegistryParts } from './exchange.ts';
import { pathOfRepository } from './names.ts';

/** Manifests, tags and referrers: OCI distribution spec v1.1. */

type Place = { readonly path: string; readonly repository: string };

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MAX_PAGE = 10_000;

/** `GET`, `HEAD`, `PUT` and `DELETE /v2/NAME/manifests/REFERENCE`. */
export async function answerManifest(
  { hosted }: RegistryParts,
  ask: Ask,
  place: Place & { readonly reference: Reference | undefined; readonly text: string },
): Promise<Answer> {
  const { path, repository, reference, text } = place;
  if (ask.method === 'PUT') {
    if (reference === undefined)
      throw new Refusal(
        text.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID',
        `'${text.slice(0, 200)}' is neither a tag nor a sha256 digest`,
      );
    const bytes = await readManifest(ask);
    const { 'content-type': contentType } = ask.headers;
    const pushed = { reference, contentType, bytes, signal: ask.signal };
    const { digest, subject } = await hosted.putManifest(repository, pushed);
    const headers = { Location: `/v2/${path}/manifests/${digest}`, 'Docker-Content-Digest': digest };
    return { status: 201, headers: subject === undefined ? headers : { ...headers, 'OCI-Subject': subject } };
  }
  const unknown = new Refusal('MANIFEST_UNKNOWN', `${path} has no manifest '${text.slice(0, 200)}'`);
  if (reference === undefined) throw unknown;
  if (ask.method === 'DELETE') {
    if ('tag' in reference) await hosted.removeTag(repository, reference.tag);
    else await hosted.removeManifest(repository, reference.digest);
    return { status: 202 };
  }
  const found = await hosted.manifest(repository, reference, ask.signal);
  if (found === undefined) throw unknown;
  const { digest, mediaType, bytes } = found;
  const headers = { 'Content-Type': mediaType, 'Docker-Content-Digest': digest, ETag: `"${digest}"` };
  return { status: 200, headers, body: bytes };
}

async function readManifest({ headers, body }: Ask): Promise<Buffer> {
  const tooLong = () =>
    new Refusal('TOO_LARGE', `a manifest has at most ${MAX_MANIFEST_BYTES / 2 ** 20} MiB`);
  if (Number(headers['content-length'] ?? 0) > MAX_MANIFEST_BYTES) throw tooLong();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > MAX_MANIFEST_BYTES) throw tooLong();
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

/** `GET /v2/NAME/tags/list`, by pages where `n` says how many at a time. */
export function answerTags({ hosted }: RegistryParts, ask: Ask, { path, repository }: Place): Answer {
  if (!hosted.isKnown(repository)) throw new Refusal('NAME_UNKNOWN', `there is no repository ${path}`);
  const { items, headers } = paged(hosted.tags(repository), ask, `/v2/${path}/tags/list`);
  return jsonAnswer({ name: path, tags: items }, headers);
}

/** `GET /v2/_catalog`: docker's, and in no specification of OCI's. */
export function answerCatalog({ hosted }: RegistryParts, ask: Ask): Answer {
  const paths = hosted.repositories().flatMap((repository) => pathOfRepository(repository) ?? []);
  const { items, headers } = paged([...new Set(paths)].toSorted(), ask, '/v2/_catalog');
  return jsonAnswer({ repositories: items }, headers);
}

type Page = { readonly items: readonly string[]; readonly headers: Readonly<Record<string, string>> };

function paged(all: readonly string[], { query }: Ask, path: string): Page {
  const [n, last] = [query.get('n'), query.get('last')];
  if (n !== null && !/^\d{1,9}$/.test(n))
    throw new Refusal('PAGINATION_NUMBER_INVALID', `n is '${n.slice(0, 100)}', not a number`);
  const rest = last === null ? all : all.filter((item) => item > last);
  const count = n === null ? rest.length : Math.min(Number(n), MAX_PAGE);
  const items = rest.slice(0, count);
  const end = items.at(-1);
  if (rest.length <= count || end === undefined) return { items, headers: {} };
  const next = `${path}?n=${count}&last=${encodeURIComponent(end)}`;
  return { items, headers: { Link: `<${next}>; rel="next"` } };
}

/** `GET /v2/NAME/referrers/DIGEST`: what says something about a manifest, which need not be here. */
export function answerReferrers(
  { hosted }: RegistryParts,
  ask: Ask,
  { path, repository, digest }: Place & { readonly digest: string },
): Answer {
  const last = ask.query.get('last') ?? undefined;
  const { items, next } = hosted.referrers(repository, readDigest(digest), last);
  const wanted = ask.query.get('artifactType');
  const manifests = wanted ? items.filter(({ artifactType }) => artifactType === wanted) : items;
  const more = new URLSearchParams({ last: next ?? '', ...(wanted ? { artifactType: wanted } : {}) });
  return jsonAnswer(
    { schemaVersion: 2, mediaType: INDEX, manifests },
    {
      'Content-Type': INDEX,
      ...(wanted ? { 'OCI-Filters-Applied': 'artifactType' } : {}),
      ...(next === undefined ? {} : { Link: `</v2/${path}/referrers/${digest}?${more}>; rel="next"` }),
    },
  );
}

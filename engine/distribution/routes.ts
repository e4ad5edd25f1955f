import { isDigest } from '../api/digest.ts';
import type { Reference } from '../images/hosted/types.ts';
import { repositoryOf } from './names.ts';

/** A path of the OCI distribution API, taken apart. `path` is the repository's name as it stood there. */
export type Route =
  | { readonly kind: 'base' | 'catalog' }
  | ({ readonly path: string; readonly repository: string } & (
      | { readonly kind: 'blob' | 'referrers'; readonly digest: string }
      | { readonly kind: 'uploads' | 'tags' }
      | { readonly kind: 'upload'; readonly id: string }
      /** Undefined for what is neither a tag nor a digest: nothing has such a name. */
      | { readonly kind: 'manifest'; readonly reference: Reference | undefined; readonly text: string }
    ));

const TAG = /^\w[\w.-]{0,127}$/;
const IN_REPOSITORY =
  /^\/v2\/(?<path>.+)\/(?:blobs\/uploads\/(?<upload>[^/]*)|blobs\/(?<blob>[^/]+)|manifests\/(?<manifest>[^/]+)|tags\/(?<tags>list)|referrers\/(?<referrers>[^/]+))$/;

/** Reads a request's path; undefined for one that the protocol does not have. Throws `Refusal`: NAME_INVALID. */
export function readRoute(target: string): Route | undefined {
  if (/^\/v2\/?$/.test(target)) return { kind: 'base' };
  if (target === '/v2/_catalog') return { kind: 'catalog' };
  const found = IN_REPOSITORY.exec(target.replace(/\/blobs\/uploads$/, '/blobs/uploads/'))?.groups;
  if (found === undefined) return undefined;
  const { path = '', upload, blob, manifest, tags, referrers } = found;
  const place = { path, repository: repositoryOf(path) };
  if (upload === '') return { kind: 'uploads', ...place };
  if (upload !== undefined) return { kind: 'upload', id: upload, ...place };
  if (blob !== undefined) return { kind: 'blob', digest: unescaped(blob), ...place };
  if (tags !== undefined) return { kind: 'tags', ...place };
  if (referrers !== undefined) return { kind: 'referrers', digest: unescaped(referrers), ...place };
  const text = unescaped(manifest ?? '');
  return { kind: 'manifest', reference: readReference(text), text, ...place };
}

function readReference(text: string): Reference | undefined {
  if (isDigest(text)) return { digest: text };
  return TAG.test(text) ? { tag: text } : undefined;
}

/** Some clients write the colon of a digest as %3A. */
function unescaped(text: string): string {
  return text.replace(/%3a/i, ':');
}

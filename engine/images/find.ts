import { BerthError } from '../api/errors.ts';
import { familiarName, familiarReference, parseReference } from '../api/reference.ts';
import type { DigestRow, ImageRow, ImageRows, NameRow } from './rows.ts';

/** How an image was named: by one of its names, or by its id. */
export type Found =
  | { readonly by: 'id'; readonly image: ImageRow }
  | { readonly by: 'name'; readonly image: ImageRow; readonly name: NameRow }
  | { readonly by: 'digest'; readonly image: ImageRow; readonly digest: DigestRow };

const FULL_ID = /^(?:sha256:)?([a-f0-9]{64})$/;
const PREFIX = /^(?:sha256:)?([a-f0-9]{1,63})$/;

/**
 * Finds an image as dockerd does: full id, then name, then unique beginning of an id. Throws `notFound`, `invalid`
 * where the name is malformed or several ids begin so. An image that was removed while a container needs it is
 * found only where `removed` says so, and by its full id.
 */
export function findImage(
  rows: ImageRows,
  name: string,
  options: { readonly removed?: boolean } = {},
): Found {
  const full = FULL_ID.exec(name);
  if (full !== null) {
    const image = rows.image(`sha256:${full[1]}`);
    if (image !== undefined && (!image.removed || options.removed === true)) return { by: 'id', image };
  }
  const prefix = PREFIX.exec(name);
  const named = name.startsWith('sha256:') ? undefined : findNamed(rows, name);
  if (named !== undefined) return named;
  const [image, another] = prefix === null ? [] : rows.byPrefix(`sha256:${prefix[1]}`);
  if (image !== undefined && another !== undefined) {
    throw new BerthError('invalid', `several images have an id that begins with ${name}`, {
      hint: 'write more of the id; berth images shows them',
    });
  }
  if (image !== undefined) return { by: 'id', image };
  throw noSuchImage(name);
}

function findNamed(rows: ImageRows, name: string): Found | undefined {
  if (FULL_ID.test(name)) return undefined;
  const reference = parseReference(name);
  const repository = `${reference.domain}/${reference.path}`;
  if (reference.digest !== undefined) {
    const digest = rows.digested(repository, reference.digest);
    const image = digest === undefined ? undefined : rows.image(digest.imageId);
    return digest === undefined || image === undefined ? undefined : { by: 'digest', image, digest };
  }
  const row = rows.named(repository, reference.tag ?? '');
  const image = row === undefined ? undefined : rows.image(row.imageId);
  return row === undefined || image === undefined ? undefined : { by: 'name', image, name: row };
}

function noSuchImage(name: string): BerthError {
  const isId = FULL_ID.test(name) || name.startsWith('sha256:');
  const shown = isId ? name : familiarReference(parseReference(name));
  return new BerthError('notFound', `No such image: ${shown}`, {
    hint: isId ? 'berth images lists those that there are' : `get it with: berth pull ${shown}`,
  });
}

/** `ubuntu:latest`. */
export function tagText({ repository, tag }: Pick<NameRow, 'repository' | 'tag'>): string {
  return `${repositoryText(repository)}:${tag}`;
}

/** `ubuntu@sha256:…`. */
export function digestText({ repository, digest }: Pick<DigestRow, 'repository' | 'digest'>): string {
  return `${repositoryText(repository)}@${digest}`;
}

/** A repository as people write it: `ubuntu` for `docker.io/library/ubuntu`. */
export function repositoryText(repository: string): string {
  const slash = repository.indexOf('/');
  return familiarName({ domain: repository.slice(0, slash), path: repository.slice(slash + 1) });
}

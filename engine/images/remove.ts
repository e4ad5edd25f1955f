import type { Digest } from '../api/digest.ts';
import { shortDigest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { ImageDeleted } from '../api/wire.ts';
import { digestText, type Found, findImage, tagText } from './find.ts';
import type { ImageRow, ImageRows } from './rows.ts';
import type { ImageEvent, ImageUser } from './types.ts';

type Store = {
  readonly rows: ImageRows;
  readonly usersOf: (imageId: string) => readonly ImageUser[];
  readonly onEvent: (event: ImageEvent) => void;
};

/**
 * Takes a name from an image, or the image itself with its last name: the rules are those of moby's
 * `daemon/images/image_delete.go`. Gives what was untagged and, where the image itself went, its id. Layers and
 * blobs are the caller's to collect. Throws `notFound` and `conflict`.
 */
export function removeImage(
  store: Store,
  name: string,
  force: boolean,
): { readonly lines: readonly ImageDeleted[]; readonly removed: ImageRow | undefined } {
  const { rows, usersOf } = store;
  const found = findImage(rows, name);
  const { image } = found;
  const lines: ImageDeleted[] = [];
  const users = usersOf(image.id);
  const running = users.find((user) => user.running);

  if (found.by === 'id') {
    const names = rows.namesOf(image.id);
    const repositories = new Set([...names, ...rows.digestsOf(image.id)].map(({ repository }) => repository));
    if (running !== undefined)
      throw conflict(name, false, `image is being used by running container ${short(running)}`);
    if (!force && (names.length > 1 || repositories.size > 1)) {
      const where = repositories.size > 1 ? 'in multiple repositories' : 'by multiple tags';
      throw conflict(name, true, `image is referenced ${where}`);
    }
    const [stopped] = users;
    if (!force && stopped !== undefined) {
      throw conflict(name, true, `image is being used by stopped container ${short(stopped)}`);
    }
  } else {
    const [user] = users;
    if (!force && user !== undefined && isLastName(rows, image.id, found)) {
      throw new BerthError(
        'conflict',
        `conflict: unable to remove repository reference "${name}" (must force) - container ${short(user)} is using its referenced image ${shortDigest(image.id)}`,
        { hint: `remove the container first: berth rm ${short(user)}` },
      );
    }
    lines.push(...untag(store, found));
    const left = rows.namesOf(image.id).length + rows.digestsOf(image.id).length;
    // Under another name it lives on; and for a running container it does without any.
    if (left > 0 || running !== undefined) return { lines, removed: undefined };
  }
  for (const row of rows.namesOf(image.id))
    lines.push(...untagName(store, image.id, tagText(row), () => rows.removeName(row)));
  for (const row of rows.digestsOf(image.id))
    lines.push(...untagName(store, image.id, digestText(row), () => rows.removeDigest(row)));
  // A stopped container may be started again: its layers stay until it is gone.
  if (users.length > 0) rows.hideImage(image.id);
  else rows.removeImage(image.id);
  lines.push({ Deleted: image.id });
  store.onEvent({ action: 'delete', id: image.id, name: image.id });
  return { lines, removed: image };
}

/** Whether an image would be without tags after this name is gone; digests of the same repository go with the tag. */
function isLastName(rows: ImageRows, id: Digest, found: Found): boolean {
  const names = rows.namesOf(id);
  const digests = rows.digestsOf(id);
  if (found.by === 'digest') return names.length === 0 && digests.length === 1;
  const repository = found.by === 'name' ? found.name.repository : '';
  return names.length === 1 && digests.every((digest) => digest.repository === repository);
}

/** Takes the name away that the image was found by; with a repository's last tag its digests go too. */
function untag(store: Store, found: Exclude<Found, { by: 'id' }>): readonly ImageDeleted[] {
  const { rows } = store;
  const { id } = found.image;
  if (found.by === 'digest') {
    return untagName(store, id, digestText(found.digest), () => rows.removeDigest(found.digest));
  }
  const { repository } = found.name;
  const lines = [...untagName(store, id, tagText(found.name), () => rows.removeName(found.name))];
  if (rows.namesOf(id).some((name) => name.repository === repository)) return lines;
  for (const row of rows.digestsOf(id).filter((digest) => digest.repository === repository)) {
    lines.push(...untagName(store, id, digestText(row), () => rows.removeDigest(row)));
  }
  return lines;
}

function untagName(store: Store, id: Digest, text: string, remove: () => void): readonly ImageDeleted[] {
  remove();
  store.onEvent({ action: 'untag', id, name: text });
  return [{ Untagged: text }];
}

function short(user: ImageUser): string {
  return user.containerId.slice(0, 12);
}

function conflict(name: string, forcible: boolean, why: string): BerthError {
  const id = shortDigest(name);
  return new BerthError(
    'conflict',
    `conflict: unable to delete ${id} (${forcible ? 'must be forced' : 'cannot be forced'}) - ${why}`,
    {
      hint: forcible
        ? `remove it all the same with: berth rmi --force ${id}`
        : 'stop and remove the container first',
    },
  );
}

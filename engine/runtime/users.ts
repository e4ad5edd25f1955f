import { BerthError } from '../api/errors.ts';
import { readInRoot } from '../host/rooted.ts';

/** Who a container's first process runs as. */
export type ContainerUser = {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
};

const MAX_ID = 2 ** 31 - 1;

/**
 * Finds a user as an image or a person names it (`www-data`, `33`, `33:www-data`, empty for root) in the
 * passwd and group files of the tree at `root`, in these groups too. A number needs no entry; a name does: throws
 * `invalid`.
 */
export async function resolveUser(
  root: string,
  text: string,
  groups: readonly string[] = [],
): Promise<ContainerUser> {
  return await findUser((path) => readInRoot(root, path), text, groups);
}

/** The same in a tree whose files `read` gives. */
export async function findUser(
  read: (path: string) => Promise<string | undefined>,
  text: string,
  groups: readonly string[] = [],
): Promise<ContainerUser> {
  const colon = text.indexOf(':');
  const userPart = colon < 0 ? text : text.slice(0, colon);
  const groupPart = colon < 0 ? undefined : text.slice(colon + 1);
  const passwd = rows(await read('/etc/passwd'));
  const group = rows(await read('/etc/group'));
  const wanted = userPart === '' ? '0' : userPart;
  const entry = passwd.find((row) => row[0] === wanted) ?? passwd.find((row) => row[2] === wanted);
  const uid = readId(entry?.[2] ?? wanted);
  if (uid === undefined) {
    throw new BerthError('invalid', `unable to find user ${wanted}: no matching entries in passwd file`, {
      hint: 'name a user that the image has, or a number',
    });
  }
  const home = entry?.[5] || '/';
  const more = groups.map((name) => findGroup(group, name));
  if (groupPart !== undefined && groupPart !== '')
    return { uid, gid: findGroup(group, groupPart), additionalGids: more, home };
  const name = entry?.[0];
  const additional = group
    .filter((row) => name !== undefined && (row[3] ?? '').split(',').includes(name))
    .flatMap((row) => readId(row[2] ?? '') ?? []);
  const gids = [...new Set([...additional, ...more])];
  return { uid, gid: readId(entry?.[3] ?? '0') ?? 0, additionalGids: gids, home };
}

function findGroup(group: readonly (readonly string[])[], text: string): number {
  const gid = readId(group.find((row) => row[0] === text)?.[2] ?? text);
  if (gid !== undefined) return gid;
  throw new BerthError('invalid', `unable to find group ${text}: no matching entries in group file`, {
    hint: 'name a group that the image has, or a number',
  });
}

function rows(text: string | undefined): readonly (readonly string[])[] {
  return (text ?? '')
    .split('\n')
    .flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.split(':')]));
}

function readId(text: string): number | undefined {
  const id = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return id <= MAX_ID ? id : undefined;
}

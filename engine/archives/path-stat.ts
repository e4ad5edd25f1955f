import { type BigIntStats, fstatSync, lstatSync } from 'node:fs';
import { posix } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';
import type { PathStat } from '../api/wire/archives.ts';
import { entryPath, followIn, type Held, resolveIn } from '../host/rooted-files.ts';

/**
 * What a path names, taken apart as docker takes it (moby, `container.ResolvePath`): all but its last component are
 * followed, and with a slash or `/.` at the end that one too. Paths are binary strings.
 */
export type Named = Disposable & {
  /** The directory that it stands in; with `child` '' it is meant itself. */
  readonly directory: number;
  readonly child: string;
  /** What it is called in an archive: its last component as it was asked for, `.` or `/`. */
  readonly name: string;
  readonly stat: PathStat;
};

/** Finds what `path` names in the tree at the open directory `root`. Throws `notFound`, `invalid`. */
export function findNamed(root: number, path: string): Named {
  const clean = posix.normalize(`/${path}`).replace(/(.)\/$/, '$1');
  const wantsInside = /\/\.?$/.test(path) || path === '.' || clean === '/';
  const name = /(?:^|\/)\.$/.test(path) ? '.' : posix.basename(clean) || '/';
  const parent = wantsInside ? clean : posix.dirname(clean);
  const child = wantsInside ? '' : posix.basename(clean);
  let held: Held | undefined;
  try {
    held = resolveIn(root, parent, { follow: true, directory: true });
    const stat =
      child === ''
        ? fstatSync(held.descriptor, { bigint: true })
        : lstatSync(entryPath(held.descriptor, child), { bigint: true });
    const linkTarget = stat.isSymbolicLink() ? followIn(root, clean) : '';
    const { descriptor } = held;
    const dispose = held[Symbol.dispose];
    return {
      directory: descriptor,
      child,
      name,
      stat: viewOf(stat, name, linkTarget),
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    held?.[Symbol.dispose]();
    throw inWords(error, path);
  }
}

/** Says of a system error on the way to a path what it is about. */
export function inWords(error: unknown, path: string): unknown {
  const shown = Buffer.from(path, 'latin1').toString();
  if (isErrno(error, 'ENOENT'))
    return new BerthError('notFound', `Could not find the file ${shown}`, { cause: error });
  if (isErrno(error, 'ENOTDIR'))
    return new BerthError('invalid', `${shown}: not a directory`, { cause: error });
  // A link of /proc, which is none that a path could say.
  if (isErrno(error, 'EXDEV'))
    return new BerthError('invalid', `${shown}: it leads through a link out of the root`, { cause: error });
  if (isErrno(error, 'ELOOP'))
    return new BerthError('invalid', `${shown}: too many levels of symbolic links`, { cause: error });
  if (isErrno(error, 'ENAMETOOLONG'))
    return new BerthError('invalid', 'a name in the path is too long', { cause: error });
  return error;
}

function viewOf(stat: BigIntStats, name: string, linkTarget: string): PathStat {
  return {
    name: utf8(name),
    size: Number(stat.size),
    mode: goMode(Number(stat.mode)),
    mtime: rfc3339(stat.mtimeNs),
    linkTarget: utf8(linkTarget),
  };
}

const utf8 = (text: string) => Buffer.from(text, 'latin1').toString();

/** Bits of Go's os.FileMode (https://pkg.go.dev/io/fs#FileMode) by the file type of inode(7). */
const goTypes: ReadonlyMap<number, number> = new Map([
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o020000, 2 ** 26 + 2 ** 21],
  [0o010000, 2 ** 25],
  [0o140000, 2 ** 24],
]);

function goMode(mode: number): number {
  const special =
    (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0);
  return (goTypes.get(mode & 0o170000) ?? 0) + special + (mode & 0o777);
}

/** As Go writes it: nanoseconds without the zeros at their end. */
function rfc3339(nano: bigint): string {
  const rest = ((nano % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((nano - rest) / 1_000_000n))
    .toISOString()
    .slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
  return `${seconds}${fraction}Z`;
}

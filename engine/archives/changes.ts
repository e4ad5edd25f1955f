import { type BigIntStats, fstatSync, lstatSync } from 'node:fs';
import { isErrno } from '../api/errors.ts';
import type { Change } from '../api/wire/archives.ts';
import type { Path } from '../host/libc.ts';
import { entryPath, type Held, namesIn, openEntry, selfPath } from '../host/rooted-files.ts';
import { getXattr } from '../host/syscalls.ts';
import { isOpaque } from './pack.ts';

const [MODIFIED, ADDED, DELETED] = [0, 1, 2] as const;

/**
 * How what an overlay shows differs from the layers below its upper directory, in the order of the paths: moby,
 * pkg/archive, `ChangesDirs`. A directory counts as modified where its owner or mode is another, or something in it
 * is. `lower` is the root of the layers put together. Synchronous, for a thread of its own.
 */
export function changesBetween(upper: number, lower: number): readonly Change[] {
  const changes: Change[] = [];
  const note = (path: string, kind: Change['Kind']) =>
    changes.push({ Path: Buffer.from(path, 'latin1').toString(), Kind: kind });

  /** `below` is the directory of the layers that shines through; undefined where none does. */
  const compare = (directory: number, below: number | undefined, prefix: string) => {
    const opaque = below !== undefined && isOpaque(`${selfPath(directory)}/.`);
    const names = namesIn(directory);
    const gone = opaque && below !== undefined ? namesIn(below).filter((name) => !names.includes(name)) : [];
    for (const name of [...names, ...gone].sort()) compareEntry(directory, below, name, prefix);
  };

  const compareEntry = (directory: number, below: number | undefined, name: string, prefix: string) => {
    const path = `${prefix}/${name}`;
    const old = below === undefined ? undefined : statIn(below, name);
    using held = openOrNone(directory, name);
    const now = held === undefined ? undefined : fstatSync(held.descriptor, { bigint: true });
    if (held === undefined || now === undefined || isWhiteout(now)) {
      if (old !== undefined) note(path, DELETED);
      return;
    }
    const at = changes.length;
    if (now.isDirectory()) {
      using inner = below !== undefined && old?.isDirectory() === true ? openEntry(below, name) : undefined;
      compare(held.descriptor, inner?.descriptor, path);
    }
    if (old === undefined) insert(at, path, ADDED);
    else if (
      changes.length > at ||
      differs(old, now) ||
      capability(directory, name) !== capability(below, name)
    )
      insert(at, path, MODIFIED);
  };

  /** A directory stands before what is in it. */
  const insert = (at: number, path: string, kind: Change['Kind']) => {
    note(path, kind);
    const [own] = changes.splice(-1);
    if (own !== undefined) changes.splice(at, 0, own);
  };

  compare(upper, lower, '');
  return changes;
}

const isWhiteout = (stat: BigIntStats) => stat.isCharacterDevice() && stat.rdev === 0n;

function differs(old: BigIntStats, now: BigIntStats): boolean {
  if (old.mode !== now.mode || old.uid !== now.uid || old.gid !== now.gid || old.rdev !== now.rdev)
    return true;
  return !now.isDirectory() && (old.size !== now.size || !sameTime(old.mtimeNs, now.mtimeNs));
}

/** An image's times may be whole seconds where the file's are not. */
function sameTime(a: bigint, b: bigint): boolean {
  const second = 1_000_000_000n;
  return a === b || (a / second === b / second && (a % second === 0n || b % second === 0n));
}

function capability(directory: number | undefined, name: string): string {
  if (directory === undefined) return '';
  return capabilityOf(entryPath(directory, name));
}

function capabilityOf(path: Path): string {
  try {
    return getXattr(path, 'security.capability').toString('hex');
  } catch (error) {
    if (['ENODATA', 'ENOTSUP', 'ENOENT'].some((code) => isErrno(error, code))) return '';
    throw error;
  }
}

function statIn(directory: number, name: string): BigIntStats | undefined {
  return lstatSync(entryPath(directory, name), { bigint: true, throwIfNoEntry: false });
}

function openOrNone(directory: number, name: string): Held | undefined {
  try {
    return openEntry(directory, name);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

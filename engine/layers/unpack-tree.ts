import { lstatSync, mkdirSync, readlinkSync, rmSync, type Stats } from 'node:fs';
import { isErrno } from '../api/errors.ts';
import { ENTRY_ERRORS } from '../tar/entry-errors.ts';
import { shown } from '../tar/reader.ts';
import { normalize, refused } from './names.ts';

/**
 * The tree that a layer is unpacked into. Names come from a hostile archive and are resolved here, one component
 * at a time, as a process whose root the tree is would resolve them: nothing leads out. Only one unpacker writes
 * to a tree, so what was seen stays true until it changes it itself.
 *
 * Paths are binary strings (a character for each byte), relative to the root, without a leading slash.
 */
export type Tree = {
  /** The path for a system call. */
  readonly at: (path: string) => string | Buffer;
  /** The directory that a name stands in, links followed, and its last component. Missing ones are made. */
  readonly place: (name: string) => { readonly parent: string; readonly last: string };
  /** Where an existing thing of that name is; its last component is not followed. */
  readonly find: (name: string) => string;
  readonly stat: (path: string) => Stats | undefined;
  /** Removes what is there, whatever it is. */
  readonly clear: (path: string) => void;
};

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * `made` is told of each directory that no entry asked for, and `replaced` of each directory that goes; `claim`
 * may make room where something that is no directory stands where one is needed.
 */
export function openTree(
  root: string,
  listener: {
    readonly made: (path: string) => void;
    readonly replaced: (path: string) => void;
    readonly claim: (path: string) => boolean;
  },
): Tree {
  const base = Buffer.from(root).toString('latin1');
  /** Directories by the name that entries use for them. */
  const known = new Map<string, string>([['', '']]);

  const at = (path: string) => {
    const full = path === '' ? base : `${base}/${path}`;
    return /[\x80-\xff]/.test(full) ? Buffer.from(full, 'latin1') : full;
  };

  const stat = (path: string) => lstatSync(at(path), { throwIfNoEntry: false });

  const resolve = (name: string, missing: 'make' | 'refuse'): string => {
    const seen = known.get(name);
    if (seen !== undefined) return seen;
    let pending = name.split('/');
    let real: string[] = [];
    let links = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === '' || part === '.') continue;
      // Above the root is the root, as in a chroot. Only a link's target can still say so.
      if (part === '..') {
        real.pop();
        continue;
      }
      const path = [...real, part].join('/');
      const found = stat(path);
      if (found?.isSymbolicLink() === true) {
        links += 1;
        if (links > MAX_LINKS) throw refused(name, 'it leads through too many links');
        const target = readlinkSync(at(path), { encoding: 'buffer' }).toString('latin1');
        if (target.startsWith('/')) real = [];
        pending = [...target.split('/'), ...pending];
        continue;
      }
      if (found === undefined || (!found.isDirectory() && missing === 'make' && listener.claim(path))) {
        if (missing === 'refuse') throw refused(name, 'it does not exist');
        mkdirSync(at(path), { mode: 0o755 });
        listener.made(path);
      } else if (!found.isDirectory()) {
        throw refused(name, `'${shown(path)}' is no directory`);
      }
      real.push(part);
    }
    const path = real.join('/');
    known.set(name, path);
    return path;
  };

  const split = (name: string) => {
    const parts = normalize(name);
    const last = parts.pop() ?? '';
    return { directory: parts.join('/'), last };
  };

  return {
    at,
    stat,
    place: (name) => {
      const { directory, last } = split(name);
      return { parent: resolve(directory, 'make'), last };
    },
    find: (name) => {
      const { directory, last } = split(name);
      const parent = resolve(directory, 'refuse');
      const path = parent === '' ? last : `${parent}/${last}`;
      if (stat(path) === undefined) throw refused(name, 'it does not exist');
      return path;
    },
    clear: (path) => {
      const found = stat(path);
      if (found === undefined) return;
      rmSync(at(path), { recursive: true });
      if (!found.isDirectory() && !found.isSymbolicLink()) return;
      // What was known of names that lead through it no longer holds.
      known.clear();
      known.set('', '');
      if (found.isDirectory()) listener.replaced(path);
    },
  };
}

/** Makes `invalid` of a system error that the entry is to blame for. */
export function blame(name: string, error: unknown): unknown {
  const code = ENTRY_ERRORS.find((known) => isErrno(error, known));
  return code === undefined ? error : refused(name, code);
}

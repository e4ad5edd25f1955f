import { BerthError } from '../../api/errors.ts';
import type { Moment } from '../../tar/header.ts';
import type { SparsePiece } from '../../tar/sparse.ts';
import { normalize, refused } from '../names.ts';
import type { Xattr } from './xattrs.ts';

/**
 * The file system of a layer in memory: what the entries of its archive come to when all have been read. Names are
 * binary strings, a character for each byte.
 */

export const S_IFMT = 0o170000;
export const fileTypes = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  link: 0o120000,
} as const;

/** A file of any type. Hard links are one node under several names. */
export type Node = {
  /** Type and permission bits, as in `st_mode`. */
  mode: number;
  uid: number;
  gid: number;
  mtime: Moment;
  /** How many names it has; of directories its own and those of the directories in it. */
  links: number;
  /** Bytes of a file; what a directory or a link takes is told by `children` and `target`. */
  sizeBytes: number;
  /** A file: the block of the archive that its content begins at. A device: its number as the kernel has it on disk. */
  at: number;
  xattrs: readonly Xattr[];
  /** A symbolic link's. */
  readonly target: string | undefined;
  /** A directory's, by name. */
  readonly children: Map<string, Node> | undefined;
  /** A file with holes. */
  readonly pieces: readonly SparsePiece[] | undefined;
  /** Number in the index; set when it is laid out. */
  nid: number;
};

export type Directory = Node & { readonly children: Map<string, Node> };

export function isDirectory(node: Node | undefined): node is Directory {
  return node?.children !== undefined;
}

/** As many links as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;
/** NAME_MAX and PATH_MAX: what is longer could be neither made nor opened. */
const MAX_NAME = 255;
const MAX_PATH = 4096;

const EPOCH: Moment = { seconds: 0, nanoseconds: 0 };

/** A node with what its type has not left empty. */
export function makeNode(mode: number, given: Partial<Node> = {}): Node {
  return {
    mode,
    uid: given.uid ?? 0,
    gid: given.gid ?? 0,
    mtime: given.mtime ?? EPOCH,
    links: 1,
    sizeBytes: given.sizeBytes ?? 0,
    at: given.at ?? 0,
    xattrs: given.xattrs ?? [],
    target: given.target,
    children: given.children,
    pieces: given.pieces,
    nid: 0,
  };
}

/** An empty directory that nobody described. */
export function makeDirectory(): Directory {
  const node = makeNode(fileTypes.directory | 0o755, { children: new Map() });
  node.links = 2;
  return node as Directory;
}

/** A name in a directory, which may or may not be there. */
export type Place = { readonly parent: Directory; readonly last: string };

/**
 * Opens an empty tree. `made` is told of each directory that no entry asked for; `claim` may make room where
 * something that is no directory stands where one is needed, and says whether the directory hides what is below it.
 */
export function openTree(listener: {
  readonly made: (directory: Directory, implied: boolean) => void;
  readonly claim: (node: Node) => boolean;
}) {
  const root = makeDirectory();
  /** The directory that was found last: archives list directory after directory. */
  let known: { readonly name: string; readonly directory: Directory } | undefined;

  const attach = ({ parent, last }: Place, node: Node) => {
    if (last.length > MAX_NAME) throw refused(last, 'ENAMETOOLONG');
    parent.children.set(last, node);
    if (isDirectory(node)) parent.links += 1;
  };

  const detach = ({ parent, last }: Place) => {
    const node = parent.children.get(last);
    if (node === undefined) return;
    parent.children.delete(last);
    node.links -= 1;
    if (isDirectory(node)) parent.links -= 1;
    // What was known of names that lead through it no longer holds.
    if (isDirectory(node) || node.target !== undefined) known = undefined;
  };

  const resolve = (name: string, missing: 'make' | 'refuse'): Directory => {
    if (known?.name === name) return known.directory;
    let pending = name.split('/');
    let real: { readonly directory: Directory; readonly name: string }[] = [];
    let links = 0;
    const here = () => real.at(-1)?.directory ?? root;
    // Shifting a list takes time with its length; a long name holds thousands of parts.
    pending.reverse();
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      if (part === '' || part === '.') continue;
      // Above the root is the root, as in a chroot. Only a link's target can still say so.
      if (part === '..') {
        real.pop();
        continue;
      }
      const place = { parent: here(), last: part };
      const found = place.parent.children.get(part);
      if (found?.target !== undefined) {
        links += 1;
        if (links > MAX_LINKS) throw refused(name, 'it leads through too many links');
        if (found.target.startsWith('/')) real = [];
        pending = [...pending, ...found.target.split('/').reverse()];
        continue;
      }
      real.push({ directory: enter(name, place, missing), name: part });
      if (real.length > MAX_PATH / 2 && pathLength(real) > MAX_PATH) throw refused(name, 'ENAMETOOLONG');
    }
    known = { name, directory: here() };
    return known.directory;
  };

  const enter = (name: string, place: Place, missing: 'make' | 'refuse'): Directory => {
    const found = place.parent.children.get(place.last);
    if (isDirectory(found)) return found;
    if (missing === 'refuse' && found === undefined) throw refused(name, 'it does not exist');
    const hides = missing === 'make' && found !== undefined && listener.claim(found);
    if (found !== undefined && !hides) throw refused(name, `'${place.last}' is no directory`);
    detach(place);
    const directory = makeDirectory();
    attach(place, directory);
    listener.made(directory, hides);
    return directory;
  };

  const split = (name: string) => {
    const parts = normalize(name);
    const last = parts.pop() ?? '';
    return { directory: parts.join('/'), last };
  };

  return {
    root,
    attach,
    detach,
    /** The directory that a name stands in, links followed, and its last component: '' for the root itself. */
    place: (name: string): Place => {
      const { directory, last } = split(name);
      return { parent: resolve(directory, 'make'), last };
    },
    /** An existing thing of that name; its last component is not followed. Throws `invalid` where there is none. */
    find: (name: string): Node => {
      const { directory, last } = split(name);
      const parent = resolve(directory, 'refuse');
      const found = last === '' ? parent : parent.children.get(last);
      if (found === undefined) throw refused(name, 'it does not exist');
      return found;
    },
  };
}

function pathLength(parts: readonly { readonly name: string }[]): number {
  return parts.reduce((sum, { name }) => sum + name.length + 1, 0);
}

/** Throws `invalid` where a layer has more entries than its limit. */
export function createCounter(maxEntries: number): () => void {
  let entries = 0;
  return () => {
    entries += 1;
    if (entries > maxEntries)
      throw new BerthError('invalid', `the layer has more than ${maxEntries} entries`);
  };
}

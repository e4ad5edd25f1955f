import { BerthError } from '../../api/errors.ts';
import { BLOCK } from '../../tar/header.ts';
import type { TarEntry, TarSink } from '../../tar/reader.ts';
import { AUFS, MAX_ID, OPAQUE, refused, WHITEOUT } from '../names.ts';
import type { LayerLimits } from '../types.ts';
import { checkPieces } from './chunks.ts';
import {
  createCounter,
  type Directory,
  fileTypes,
  isDirectory,
  makeDirectory,
  makeNode,
  type Node,
  openTree,
  type Place,
} from './tree.ts';
import { createXattrTable, mergeXattrs, type Xattr } from './xattrs.ts';

export type IndexedLayer = {
  readonly root: Directory;
  readonly sharedXattrs: readonly Xattr[];
  /** Lengths of its files and links. */
  readonly sizeBytes: number;
};

/** Reads the entries of a layer into a tree, in overlay's format as the kernel's filesystems/overlayfs.rst has it. */
export type Indexer = TarSink & { readonly finish: () => IndexedLayer };

const deviceTypes: Readonly<Record<string, number>> = { '3': fileTypes.character, '4': fileTypes.block };

/** Throws `invalid` on entries that are malformed, mean harm, or are more than the limits allow. */
export function createIndexer(limits: Pick<LayerLimits, 'maxEntries' | 'maxNameBytes'>): Indexer {
  const xattrs = createXattrTable();
  const count = createCounter(limits.maxEntries);
  /** Whiteouts of this layer; a directory that comes where one was hides what is below it. */
  const whiteouts = new Set<Node>();
  let sizeBytes = 0;
  let nameBytes = 0;

  const makeOpaque = (directory: Directory) => {
    directory.xattrs = mergeXattrs(directory.xattrs, [xattrs.opaque()], '');
  };
  const tree = openTree({
    made: (directory, hides) => {
      count();
      if (hides) makeOpaque(directory);
    },
    claim: (node) => whiteouts.delete(node),
  });
  const { root } = tree;

  /** Names are what takes memory without end: an archive compresses them a thousand times. */
  const countNames = ({ name, target }: TarEntry) => {
    nameBytes += name.length + target.length;
    if (nameBytes > limits.maxNameBytes)
      throw new BerthError('invalid', `the layer's names take more than ${limits.maxNameBytes} bytes`);
  };

  /** Puts a node at a place; what an earlier entry put there gives way. */
  const put = (place: Place, node: Node) => {
    const before = place.parent.children.get(place.last);
    if (before !== undefined) {
      whiteouts.delete(before);
      tree.detach(place);
    }
    tree.attach(place, node);
  };

  const directoryAt = (place: Place): Directory => {
    if (place.last === '') return root;
    const found = place.parent.children.get(place.last);
    if (isDirectory(found)) return found;
    const hides = found !== undefined && whiteouts.has(found);
    const directory = makeDirectory();
    put(place, directory);
    if (hides) makeOpaque(directory);
    return directory;
  };

  const takeDirectory = (entry: TarEntry, place: Place) => {
    const directory = directoryAt(place);
    directory.mode = fileTypes.directory | entry.mode;
    directory.uid = entry.uid;
    directory.gid = entry.gid;
    directory.mtime = entry.mtime;
    const taken = xattrs.take(entry.xattrs, { name: entry.name, kind: 'directory' });
    directory.xattrs = mergeXattrs(directory.xattrs, taken, entry.name);
  };

  const takeWhiteout = ({ parent, last }: Place) => {
    if (last === OPAQUE) return makeOpaque(parent);
    if (last.startsWith(AUFS)) return;
    const name = last.slice(WHITEOUT.length);
    if (['', '.', '..'].includes(name)) throw refused(last, 'it is a whiteout of nothing');
    const found = parent.children.get(name);
    // It hides what is below this layer; what this layer has itself stays.
    if (isDirectory(found)) return makeOpaque(found);
    if (found !== undefined) return;
    const whiteout = makeNode(fileTypes.character);
    tree.attach({ parent, last: name }, whiteout);
    whiteouts.add(whiteout);
  };

  const takeLink = (entry: TarEntry, place: Place) => {
    const target = tree.find(entry.target);
    if (isDirectory(target)) throw refused(entry.name, 'it is a hard link to a directory');
    const before = place.parent.children.get(place.last);
    if (before === target) return;
    // What it replaces may hold its target.
    if (isDirectory(before) && before.children.size > 0) {
      tree.detach(place);
      tree.find(entry.target);
    }
    put(place, target);
    target.links += 1;
  };

  const makeOther = (entry: TarEntry): Node => {
    const { flag, mode, uid, gid, mtime, target, major, minor } = entry;
    const common = { uid, gid, mtime };
    if (flag === '0' || flag === '7') {
      const { sizeBytes, pieces, contentAt } = entry;
      if (pieces !== undefined) checkPieces(entry.name, sizeBytes, pieces);
      const at = sizeBytes > 0 ? contentAt / BLOCK : 0;
      const taken = xattrs.take(entry.xattrs, { name: entry.name, kind: 'file' });
      return makeNode(fileTypes.file | mode, { ...common, sizeBytes, at, pieces, xattrs: taken });
    }
    const kind = flag === '2' ? 'link' : 'other';
    const rest = { ...common, xattrs: xattrs.take(entry.xattrs, { name: entry.name, kind }) };
    if (flag === '2') {
      if (target === '' || target.includes('\0')) throw refused(entry.name, 'its target is none');
      return makeNode(fileTypes.link | 0o777, { ...rest, target });
    }
    if (flag === '6') return makeNode(fileTypes.fifo | mode, rest);
    const type = deviceTypes[flag];
    if (type === undefined) throw refused(entry.name, `its type '${flag}' is unknown`);
    return makeNode(type | mode, { ...rest, at: deviceNumber(entry.name, major, minor) });
  };

  const takeEntry = (entry: TarEntry) => {
    const place = tree.place(entry.name);
    if (place.last.startsWith(WHITEOUT)) return takeWhiteout(place);
    // Tars older than POSIX tell a directory by the slash.
    const directory = entry.flag === '5' || (entry.flag === '0' && entry.name.endsWith('/'));
    if (directory) return takeDirectory(entry, place);
    if (place.last === '') throw refused(entry.name, 'it would stand in place of the root');
    if (entry.flag === '1') return takeLink(entry, place);
    const node = makeOther(entry);
    put(place, node);
    sizeBytes += node.target?.length ?? node.sizeBytes;
  };

  return {
    entry: (entry) => {
      count();
      countNames(entry);
      for (const id of [entry.uid, entry.gid]) {
        if (id < 0 || id > MAX_ID) throw refused(entry.name, `its owner is ${entry.uid}:${entry.gid}`);
      }
      takeEntry(entry);
    },
    data: () => {},
    end: () => {},
    finish: () => ({ root, sharedXattrs: xattrs.shared(), sizeBytes }),
  };
}

/** A device's number as the kernel keeps it on disk (`new_encode_dev`): 12 bits of major, 20 of minor. */
function deviceNumber(name: string, major: number, minor: number): number {
  if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff)
    throw refused(name, `its device is ${major}:${minor}`);
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

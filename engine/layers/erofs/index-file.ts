import { writeSync } from 'node:fs';
import { chunkCount, chunkFormat, encodeChunks } from './chunks.ts';
import { directoryBytes, encodeDirectory } from './directories.ts';
import { BLOCK_BITS, CHUNK_INDEX, INODE, layouts, roundUp, SLOT } from './format.ts';
import { encodeHead, HEAD, type Superblock } from './superblock.ts';
import { type Directory, fileTypes, isDirectory, type Node, S_IFMT } from './tree.ts';
import { bodyBytes, bodyCount, encodeBody, encodeXattr, entryBytes, type Xattr } from './xattrs.ts';

/**
 * Writes the index: superblock, then inodes with what belongs to each right behind it, then directories and links
 * too large for that, then shared attributes. First all get their places, then all is written, from front to back.
 */

/** Content of a directory or a link that is not longer than this stands behind its inode. */
const MAX_INLINE = 256;
const WRITE_BYTES = 256 * 1024;

/** Where one inode and its content are. */
type Placed = {
  readonly node: Node;
  /** What `..` in it names. */
  readonly parent: Directory;
  /** In bytes from the start of the index. */
  readonly at: number;
  readonly xattrBytes: number;
  readonly contentBytes: number;
  /** The block of its content; undefined where that stands behind the inode, or in the archive. */
  block: number | undefined;
};

export type IndexOptions = {
  readonly root: Directory;
  readonly sharedXattrs: readonly Xattr[];
  readonly uuid: Buffer;
  readonly archiveBytes: number;
  readonly archiveTag: string;
  /** Larger than a sector only to have an index checked by programs that know no smaller ones. */
  readonly blockBits?: number;
};

/** Writes the index to an open file, from its start. Takes time and memory in proportion to the entries. */
export function writeIndex(descriptor: number, options: IndexOptions): void {
  const { root, sharedXattrs, blockBits = BLOCK_BITS } = options;
  const block = 2 ** blockBits;
  let shared = 0;
  for (const xattr of sharedXattrs) {
    xattr.sharedAt = shared / 4;
    shared += entryBytes(xattr);
  }
  const { placed, end } = placeInodes(root, roundUp(HEAD, block), block);
  let next = roundUp(end, block);
  for (const one of placed) {
    if (one.contentBytes === 0 || isInline(one)) continue;
    one.block = next / block;
    next += roundUp(one.contentBytes, block);
  }
  const superblock: Superblock = {
    blockBits,
    uuid: options.uuid,
    rootNid: root.nid,
    inodes: placed.length,
    blocks: Math.ceil((next + shared) / block),
    archiveBlocks: Math.ceil(options.archiveBytes / block),
    xattrBlock: next / block,
    archiveTag: options.archiveTag,
  };
  const out = openOutput(descriptor);
  out.write(encodeHead(superblock));
  for (const one of placed) {
    out.padTo(one.at);
    out.write(encodeInode(one, blockBits));
    if (one.xattrBytes > 0) out.write(encodeBody(one.node.xattrs));
    if (isFile(one.node) && one.node.sizeBytes > 0) {
      out.padTo(roundUp(out.position(), CHUNK_INDEX));
      out.write(encodeChunks(one.node, blockBits));
    } else if (one.contentBytes > 0 && one.block === undefined) out.write(contentOf(one, block));
  }
  for (const one of placed) {
    if (one.block === undefined) continue;
    out.padTo(one.block * block);
    out.write(contentOf(one, block));
  }
  out.padTo(next);
  for (const xattr of sharedXattrs) out.write(encodeXattr(xattr));
  out.padTo(superblock.blocks * block);
  out.flush();
}

const isFile = (node: Node) => (node.mode & S_IFMT) === fileTypes.file;
const isInline = ({ contentBytes }: Placed) => contentBytes <= MAX_INLINE;

/** Gives each inode its place: those in one directory side by side, where a reader of the directory wants them. */
function placeInodes(root: Directory, start: number, block: number) {
  const placed: Placed[] = [];
  let next = start;
  const place = (node: Node, parent: Directory) => {
    const xattrBytes = bodyBytes(node.xattrs);
    const contentBytes = isDirectory(node) ? directoryBytes(node, block) : (node.target?.length ?? 0);
    const fixed = INODE + xattrBytes;
    const inline = contentBytes > 0 && contentBytes <= MAX_INLINE;
    let at = next;
    // What stands behind an inode must not go over the end of a block.
    while (inline && ((at + fixed) % block) + contentBytes > block) at += SLOT;
    const one: Placed = { node, parent, at, xattrBytes, contentBytes, block: undefined };
    node.nid = at / SLOT;
    const chunks = isFile(node) && node.sizeBytes > 0 ? chunkCount(node) * CHUNK_INDEX : 0;
    next = at + fixed;
    if (chunks > 0) next = roundUp(next, CHUNK_INDEX) + chunks;
    else if (isInline(one)) next += contentBytes;
    next = roundUp(next, SLOT);
    placed.push(one);
  };
  const known = new Set<Node>();
  const pending: Directory[] = [root];
  place(root, root);
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    const inside: Directory[] = [];
    for (const name of [...directory.children.keys()].sort()) {
      const node = directory.children.get(name);
      if (node === undefined) continue;
      if (!isDirectory(node) && node.links > 1) {
        if (known.has(node)) continue;
        known.add(node);
      }
      place(node, directory);
      if (isDirectory(node)) inside.push(node);
    }
    pending.push(...inside.reverse());
  }
  return { placed, end: next };
}

function contentOf({ node, parent }: Placed, block: number): Buffer {
  if (isDirectory(node)) return encodeDirectory(node, parent, block);
  return Buffer.from(node.target ?? '', 'latin1');
}

/** The long form of an inode. */
function encodeInode(placed: Placed, blockBits: number): Buffer {
  const { node, xattrBytes, contentBytes, block } = placed;
  const inode = Buffer.alloc(INODE);
  const file = isFile(node);
  const layout =
    file && node.sizeBytes > 0
      ? layouts.chunks
      : contentBytes > 0 && block === undefined
        ? layouts.inline
        : layouts.plain;
  inode.writeUInt16LE((layout << 1) | 1, 0);
  inode.writeUInt16LE(bodyCount(xattrBytes), 2);
  inode.writeUInt16LE(node.mode, 4);
  inode.writeBigUInt64LE(BigInt(file ? node.sizeBytes : contentBytes), 8);
  if (layout === layouts.chunks) inode.writeUInt16LE(chunkFormat(node, blockBits), 16);
  else inode.writeUInt32LE(block ?? node.at, 16);
  inode.writeUInt32LE(node.nid >>> 0, 20);
  inode.writeUInt32LE(node.uid, 24);
  inode.writeUInt32LE(node.gid, 28);
  inode.writeBigInt64LE(BigInt(node.mtime.seconds), 32);
  inode.writeUInt32LE(node.mtime.nanoseconds, 40);
  inode.writeUInt32LE(node.links, 44);
  return inode;
}

/** Gathers small pieces into large writes. */
function openOutput(descriptor: number) {
  const buffer = Buffer.allocUnsafeSlow(WRITE_BYTES);
  let filled = 0;
  let written = 0;
  const flush = () => {
    for (let at = 0; at < filled; ) at += writeSync(descriptor, buffer, at, filled - at);
    written += filled;
    filled = 0;
  };
  const write = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; ) {
      const size = bytes.copy(buffer, filled, at);
      filled += size;
      at += size;
      if (filled === buffer.length) flush();
    }
  };
  return {
    flush,
    write,
    position: () => written + filled,
    padTo: (position: number) => {
      const gap = position - written - filled;
      if (gap > 0) write(Buffer.alloc(gap));
    },
  };
}

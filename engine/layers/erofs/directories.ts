import { type Directory, fileTypes, type Node, S_IFMT } from './tree.ts';

/**
 * Directories: blocks, each with its entries first and their names behind, in the order of the names' bytes over all
 * of them, so that the kernel finds a name by halving.
 */

const ENTRY = 12;

/** `file_type` of an entry, the FT_* of <linux/fs_types.h>. */
const entryTypes: Readonly<Record<number, number>> = {
  [fileTypes.file]: 1,
  [fileTypes.directory]: 2,
  [fileTypes.character]: 3,
  [fileTypes.block]: 4,
  [fileTypes.fifo]: 5,
  [fileTypes.link]: 7,
};

/** The names in a directory, its own and its parent's too, in their order. */
function namesOf(directory: Directory): string[] {
  // By code units, which here are bytes.
  return ['.', '..', ...directory.children.keys()].sort();
}

/** How many of the names from `start` on go into one block, and the bytes that they take. */
function fill(names: readonly string[], start: number, blockBytes: number) {
  let used = 0;
  let end = start;
  for (; end < names.length; end += 1) {
    const more = ENTRY + (names[end]?.length ?? 0);
    if (used + more > blockBytes) break;
    used += more;
  }
  return { end, used };
}

/** Bytes of a directory. */
export function directoryBytes(directory: Directory, blockBytes: number): number {
  const names = namesOf(directory);
  let size = 0;
  for (let start = 0; start < names.length; ) {
    const { end, used } = fill(names, start, blockBytes);
    size += end < names.length ? blockBytes : used;
    start = end;
  }
  return size;
}

/** The content of a directory whose nodes have their numbers. */
export function encodeDirectory(directory: Directory, parent: Node, blockBytes: number): Buffer {
  const names = namesOf(directory);
  const blocks: Buffer[] = [];
  const nodeOf = (name: string) =>
    name === '.' ? directory : name === '..' ? parent : directory.children.get(name);
  for (let start = 0; start < names.length; ) {
    const { end, used } = fill(names, start, blockBytes);
    const block = Buffer.alloc(end < names.length ? blockBytes : used);
    let nameAt = ENTRY * (end - start);
    for (let index = start; index < end; index += 1) {
      const name = names[index] ?? '';
      const node = nodeOf(name) ?? directory;
      const at = ENTRY * (index - start);
      block.writeUInt32LE(node.nid, at);
      block.writeUInt16LE(nameAt, at + 8);
      block.writeUInt8(entryTypes[node.mode & S_IFMT] ?? 0, at + 10);
      nameAt += block.write(name, nameAt, 'latin1');
    }
    blocks.push(block);
    start = end;
  }
  return blocks.length === 1 && blocks[0] !== undefined ? blocks[0] : Buffer.concat(blocks);
}

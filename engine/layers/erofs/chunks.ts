import { BLOCK } from '../../tar/header.ts';
import type { SparsePiece } from '../../tar/sparse.ts';
import { refused } from '../names.ts';
import { ARCHIVE_DEVICE, CHUNK_INDEX } from './format.ts';
import type { Node } from './tree.ts';

/**
 * Where the content of files is in the archive. A file is cut into chunks of equal size, a power of two of blocks, and
 * each has its address or is a hole. A file without holes is one chunk.
 */

const MAX_CHUNK_BITS = 31;
const FORMAT_INDEXES = 0x20;
const HOLE = 0xffff_ffff;
/** An index over more chunks would be larger than what most files are. */
const MAX_CHUNKS = 4 * 1024 * 1024;

/** The logarithm of a file's chunks, in blocks. */
function chunkBits({ sizeBytes, pieces }: Pick<Node, 'sizeBytes' | 'pieces'>): number {
  const blocks = Math.ceil(sizeBytes / BLOCK);
  const whole = Math.min(MAX_CHUNK_BITS, Math.ceil(Math.log2(Math.max(1, blocks))));
  if (pieces === undefined) return whole;
  // Each piece begins and ends with a chunk, but where the file ends.
  const bounds = pieces.flatMap(({ offset, length }) =>
    offset + length === sizeBytes ? [offset] : [offset, offset + length],
  );
  return bounds.reduce((bits, bound) => Math.min(bits, trailingZeros(bound / BLOCK)), whole);
}

function trailingZeros(value: number): number {
  if (value === 0) return MAX_CHUNK_BITS;
  let bits = 0;
  for (let rest = value; rest % 2 === 0 && bits < MAX_CHUNK_BITS; rest /= 2) bits += 1;
  return bits;
}

/** Throws `invalid` where the pieces of a file with holes don't begin and end at blocks, or take too many chunks. */
export function checkPieces(name: string, sizeBytes: number, pieces: readonly SparsePiece[]): void {
  for (const { offset, length } of pieces) {
    if (offset % BLOCK !== 0 || (length % BLOCK !== 0 && offset + length !== sizeBytes))
      throw refused(name, 'its pieces do not begin and end at multiples of 512 bytes');
  }
  if (chunkCount({ sizeBytes, pieces }) > MAX_CHUNKS) throw refused(name, 'it has too many holes');
}

/** How many chunks a file has. */
export function chunkCount(file: Pick<Node, 'sizeBytes' | 'pieces'>): number {
  return Math.ceil(file.sizeBytes / (BLOCK * 2 ** chunkBits(file)));
}

/** `i_u.c.format`, for an index with blocks of another size than tar's too. */
export function chunkFormat(file: Node, blockBits: number): number {
  const bits = Math.max(0, chunkBits(file) - (blockBits - Math.log2(BLOCK)));
  return FORMAT_INDEXES | bits;
}

/** The addresses of a file's chunks. Those of an index with blocks larger than tar's are none that hold the content. */
export function encodeChunks(file: Node, blockBits: number): Buffer {
  const unit = 2 ** blockBits / BLOCK;
  const count = chunkCount(file);
  const indexes = Buffer.alloc(count * CHUNK_INDEX);
  const write = (chunk: number, block: number) => {
    indexes.writeUInt16LE(block === HOLE ? 0 : ARCHIVE_DEVICE, chunk * CHUNK_INDEX + 2);
    indexes.writeUInt32LE(block === HOLE ? HOLE : Math.floor(block / unit), chunk * CHUNK_INDEX + 4);
  };
  if (file.pieces === undefined) {
    const blocks = 2 ** chunkBits(file);
    for (let chunk = 0; chunk < count; chunk += 1) write(chunk, file.at + chunk * blocks);
    return indexes;
  }
  for (let chunk = 0; chunk < count; chunk += 1) write(chunk, HOLE);
  const blocks = 2 ** chunkBits(file);
  let block = file.at;
  for (const { offset, length } of file.pieces) {
    const first = offset / BLOCK / blocks;
    const chunks = Math.ceil(length / BLOCK / blocks);
    for (let index = 0; index < chunks; index += 1) write(first + index, block + index * blocks);
    block += length / BLOCK;
  }
  return indexes;
}

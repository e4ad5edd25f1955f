import { BLOCK, malformed, numberIn, size } from './header.ts';

/**
 * Files with holes, in GNU's four ways of writing them (tar manual, "Storing Sparse Files"): the old header with its
 * blocks behind it, and the pax formats 0.0, 0.1 and 1.0. Their pieces follow each other in the archive without gaps.
 */

/** A piece of a file that is in the archive; all between the pieces is a hole. */
export type SparsePiece = { readonly offset: number; readonly length: number };

export type Sparse = { readonly sizeBytes: number; readonly pieces: readonly SparsePiece[] };

/** As many pieces as a map of 1 MiB in format 1.0 could name; more are hostile. */
const MAX_PIECES = 256 * 1024;

/** Where the pieces stand in the old header, and in each block behind it. */
const OLD_HEADER = { at: 386, count: 4, more: 482 };
const OLD_BLOCK = { at: 0, count: 21, more: 504 };
const OLD_REAL_SIZE = 483;

/** Pieces of an old GNU header, or of a block behind it, and whether another block follows. */
export function readOldPieces(
  block: Buffer,
  kind: 'header' | 'block',
): { readonly pieces: readonly SparsePiece[]; readonly more: boolean } {
  const { at, count, more } = kind === 'header' ? OLD_HEADER : OLD_BLOCK;
  const pieces: SparsePiece[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = at + index * 24;
    // An unused place is all zeros; the last piece of a file that ends in a hole has no length, but a place.
    if (block[start] === 0) break;
    pieces.push({
      offset: size(numberIn(block, start, 12)),
      length: size(numberIn(block, start + 12, 12)),
    });
  }
  return { pieces, more: block[more] !== 0 };
}

/** The size that a file has with its holes, by its old GNU header. */
export function oldRealSize(block: Buffer): number {
  return size(numberIn(block, OLD_REAL_SIZE, 12));
}

/** What pax records say of a file's holes; `map` is undefined in format 1.0, which has it before the content. */
export type SparseRecords = {
  readonly name: string | undefined;
  readonly sizeBytes: number;
  readonly map: readonly SparsePiece[] | undefined;
};

/** Reads the sparse records among pax records, in their order; undefined where there are none. Throws `invalid`. */
export function readSparseRecords(
  records: readonly (readonly [string, string])[],
): SparseRecords | undefined {
  const sparse = records.filter(([key]) => key.startsWith('GNU.sparse.'));
  if (sparse.length === 0) return undefined;
  const last = (key: string) => sparse.findLast(([name]) => name === `GNU.sparse.${key}`)?.[1];
  const name = last('name');
  const sizeBytes = decimal(last('realsize') ?? last('size'));
  const major = last('major');
  if (major !== undefined && major !== '0') {
    if (major !== '1') throw malformed(`sparse files of format ${major.slice(0, 10)} are unknown`);
    return { name, sizeBytes, map: undefined };
  }
  const listed = last('map')?.split(',') ?? [];
  const repeated = sparse.flatMap(([key, value]) => (/\.(?:offset|numbytes)$/.test(key) ? [value] : []));
  return { name, sizeBytes, map: piecesOf(listed[0] === '' ? [] : [...listed, ...repeated]) };
}

/** Takes the blocks of a map one after the other; gives the pieces with the last one. Throws `invalid`. */
export type MapReader = { readonly take: (block: Buffer) => readonly SparsePiece[] | undefined };

/**
 * The map that stands before the content in format 1.0: a count, then offset and length of each piece, a line each,
 * filled up to whole blocks.
 */
export function createMapReader(): MapReader {
  const numbers: string[] = [];
  let unfinished = '';
  const wanted = () => (numbers.length === 0 ? 1 : 1 + 2 * decimal(numbers[0]));
  return {
    take: (block) => {
      const lines = `${unfinished}${block.toString('latin1')}`.split('\n');
      unfinished = lines.pop() ?? '';
      if (unfinished.length > BLOCK) throw malformed('a sparse map holds no number');
      for (const line of lines) {
        // What fills the last block is no line of the map.
        if (numbers.length < wanted()) numbers.push(line);
      }
      if (wanted() > 2 * MAX_PIECES) throw malformed('a sparse file has too many pieces');
      return numbers.length < wanted() ? undefined : piecesOf(numbers.slice(1));
    },
  };
}

/** Checks that pieces go forward, lie inside the file, and are as long together as what the archive holds. */
export function checkSparse({ sizeBytes, pieces }: Sparse, storedBytes: number): Sparse {
  let end = 0;
  let sum = 0;
  if (pieces.length > MAX_PIECES) throw malformed('a sparse file has too many pieces');
  for (const { offset, length } of pieces) {
    if (offset < end) throw malformed('the pieces of a sparse file overlap');
    end = offset + length;
    sum += length;
  }
  if (end > sizeBytes) throw malformed('a piece of a sparse file lies behind its end');
  if (sum !== storedBytes) throw malformed('the pieces of a sparse file are not as long as its content');
  return { sizeBytes, pieces: pieces.filter(({ length }) => length > 0) };
}

function piecesOf(numbers: readonly string[]): readonly SparsePiece[] {
  if (numbers.length % 2 !== 0) throw malformed('a sparse map has an offset without a length');
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    offset: decimal(numbers[2 * index]),
    length: decimal(numbers[2 * index + 1]),
  }));
}

function decimal(text: string | undefined): number {
  if (text === undefined || !/^\d{1,15}$/.test(text))
    throw malformed(`'${(text ?? '').slice(0, 20)}' is no number of a sparse file`);
  return Number(text);
}

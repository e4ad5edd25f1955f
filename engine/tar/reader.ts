import { BerthError } from '../api/errors.ts';
import { BLOCK, malformed, parseHeader, type TarHeader } from './header.ts';
import { applyPax, type PaxRecords, parsePax, paxXattrs } from './pax.ts';
import {
  checkSparse,
  createMapReader,
  type MapReader,
  oldRealSize,
  readOldPieces,
  readSparseRecords,
  type SparsePiece,
  type SparseRecords,
} from './sparse.ts';

export type TarEntry = TarHeader & {
  readonly xattrs: readonly { readonly name: string; readonly value: Buffer }[];
  /** Where in the archive its content begins, in bytes. */
  readonly contentAt: number;
  /** What a file with holes has in the archive, piece after piece; undefined for one without. */
  readonly pieces: readonly SparsePiece[] | undefined;
};

/** What takes the entries, in the archive's order. */
export type TarSink = {
  readonly entry: (entry: TarEntry) => void;
  /** A piece of the content of the entry before; only until `push` returns. */
  readonly data: (piece: Buffer) => void;
  /** The content of the entry before is complete. */
  readonly end: () => void;
};

export type TarReader = {
  /** Takes the next bytes of the archive, however they are cut. */
  readonly push: (chunk: Buffer) => void;
  /** Says that no more come. Throws `invalid` where the archive stops in the middle of an entry. */
  readonly finish: () => void;
};

/** GNU's and pax's extra headers are held in memory: longer ones are hostile. Linux has no xattr over 64 KiB. */
const MAX_EXTRA_BYTES = 1024 * 1024;
/** PATH_MAX; a longer name could not be made. */
const MAX_NAME_BYTES = 4096;

/** Entries that are themselves headers of the one that follows. */
type Extra = 'x' | 'g' | 'L' | 'K';
const isExtra = (flag: string): flag is Extra => 'xgLK'.includes(flag);

/**
 * Reads a tar archive as it streams by, without holding more of it than one header. Bytes after the archive's end
 * are ignored, as tar does. Throws `invalid` on what is no tar; `unsupported` on files with holes, but where `sparse`
 * says that the sink knows them.
 */
export function createTarReader(sink: TarSink, options: { readonly sparse?: boolean } = {}): TarReader {
  const block = Buffer.alloc(BLOCK);
  let filled = 0;
  let ended = false;
  /** Bytes taken so far. */
  let position = 0;
  /** Bytes of content, and of the padding behind it, that are still to come. */
  let content = 0;
  let padding = 0;
  let extra: { readonly flag: Extra; readonly body: Buffer; filled: number } | undefined;
  let inEntry = false;
  let pax: PaxRecords = new Map();
  let sparse: SparseRecords | undefined;
  let long: { name: string | undefined; target: string | undefined } = { name: undefined, target: undefined };
  /** An entry whose map of pieces is not complete yet. */
  let waiting: { readonly entry: TarHeader; pieces: SparsePiece[] } | undefined;
  let map: MapReader | undefined;

  const finishExtra = (flag: Extra, body: Buffer) => {
    if (flag === 'x') {
      const records = parsePax(body);
      pax = new Map(records);
      sparse = readSparseRecords(records);
    }
    const zero = body.indexOf(0);
    const name = body.toString('latin1', 0, zero < 0 ? body.length : zero);
    if (flag === 'L') long = { ...long, name };
    if (flag === 'K') long = { ...long, target: name };
    // 'g' is pax's global header: git writes its commit there. No image tool puts attributes into one.
  };

  const startHeader = () => {
    const header = parseHeader(block);
    if (header === undefined) {
      ended = true;
    } else if (isExtra(header.flag)) {
      if (header.sizeBytes > MAX_EXTRA_BYTES) throw malformed('an extended header is longer than 1 MiB');
      extra = { flag: header.flag, body: Buffer.alloc(header.sizeBytes), filled: 0 };
      padding = (BLOCK - (header.sizeBytes % BLOCK)) % BLOCK;
      if (header.sizeBytes === 0) extra = undefined;
    } else {
      startEntry(header);
    }
  };

  const startEntry = (header: TarHeader) => {
    const named = applyPax(header, pax, long);
    const entry = { ...named, name: sparse?.name ?? named.name };
    if (entry.name.length > MAX_NAME_BYTES || entry.target.length > MAX_NAME_BYTES) {
      throw malformed('a name is longer than 4096 bytes');
    }
    // Only files have content; some tars give links the size of what they point at (POSIX, "size").
    content = '07S'.includes(entry.flag) ? entry.sizeBytes : 0;
    padding = (BLOCK - (content % BLOCK)) % BLOCK;
    if (entry.flag !== 'S' && sparse === undefined) return begin(entry, undefined);
    if (options.sparse !== true) {
      throw new BerthError('unsupported', `the archive holds a sparse file, '${shown(entry.name)}'`, {
        hint: 'make it without tar --sparse',
      });
    }
    if (entry.flag === 'S') {
      const { pieces, more } = readOldPieces(block, 'header');
      const file = { ...entry, flag: '0', sizeBytes: oldRealSize(block) };
      if (!more) return begin(file, pieces);
      waiting = { entry: file, pieces: [...pieces] };
    } else if (sparse !== undefined) {
      const file = { ...entry, sizeBytes: sparse.sizeBytes };
      if (sparse.map !== undefined) return begin(file, sparse.map);
      waiting = { entry: file, pieces: [] };
      map = createMapReader();
    }
  };

  /** Takes a block of the map of an old GNU sparse file. */
  const takeOldPieces = ({ entry, pieces }: { readonly entry: TarHeader; pieces: SparsePiece[] }) => {
    const found = readOldPieces(block, 'block');
    pieces.push(...found.pieces);
    if (pieces.length * 24 > MAX_EXTRA_BYTES) throw malformed('a sparse file has too many pieces');
    if (!found.more) begin(entry, pieces);
  };

  /** Takes a block of the content of a sparse file in format 1.0, which begins with the map. */
  const takeMap = (reader: MapReader, entry: TarHeader) => {
    if (content < BLOCK) throw malformed('a sparse map is cut off');
    content -= BLOCK;
    const pieces = reader.take(block);
    if (pieces !== undefined) begin(entry, pieces);
  };

  const begin = (entry: TarHeader, pieces: readonly SparsePiece[] | undefined) => {
    const checked =
      pieces === undefined ? undefined : checkSparse({ sizeBytes: entry.sizeBytes, pieces }, content);
    const xattrs = paxXattrs(pax);
    pax = new Map();
    [sparse, waiting, map] = [undefined, undefined, undefined];
    long = { name: undefined, target: undefined };
    inEntry = true;
    sink.entry({ ...entry, xattrs, contentAt: position, pieces: checked?.pieces });
    if (content === 0) endEntry();
  };

  const endEntry = () => {
    inEntry = false;
    sink.end();
  };

  const takeBlock = () => {
    if (waiting === undefined) startHeader();
    else if (map === undefined) takeOldPieces(waiting);
    else takeMap(map, waiting.entry);
  };

  return {
    push: (chunk) => {
      const start = position;
      let at = 0;
      while (at < chunk.length && !ended) {
        const left = chunk.length - at;
        if (extra !== undefined) {
          const take = Math.min(left, extra.body.length - extra.filled);
          chunk.copy(extra.body, extra.filled, at, at + take);
          extra.filled += take;
          at += take;
          if (extra.filled < extra.body.length) break;
          const { flag, body } = extra;
          extra = undefined;
          finishExtra(flag, body);
        } else if (inEntry && content > 0) {
          const take = Math.min(left, content);
          sink.data(chunk.subarray(at, at + take));
          content -= take;
          at += take;
          if (content === 0) endEntry();
        } else if (padding > 0 && waiting === undefined) {
          const take = Math.min(left, padding);
          padding -= take;
          at += take;
        } else {
          const take = Math.min(left, BLOCK - filled);
          chunk.copy(block, filled, at, at + take);
          filled += take;
          at += take;
          if (filled < BLOCK) break;
          filled = 0;
          position = start + at;
          takeBlock();
        }
      }
      position = start + chunk.length;
    },
    finish: () => {
      // GNU tar warns where the closing zeros are missing, and takes the archive; so do we.
      if (ended) return;
      const inside = inEntry || waiting !== undefined || extra !== undefined;
      if (inside || filled > 0 || content > 0) throw malformed('it is cut off');
    },
  };
}

/** A binary string as people may see it: UTF-8 where it is, without control characters. */
export function shown(name: string): string {
  return Buffer.from(name, 'latin1')
    .toString()
    .replace(/[\x00-\x1f\x7f]/g, '?')
    .slice(0, 200);
}

import { createTarReader, type TarEntry } from '../../engine/tar/reader.ts';

export type ReadEntry = TarEntry & { readonly content: string };

/** The entries of an archive, by their names. */
export function untar(archive: Buffer): ReadonlyMap<string, ReadEntry> {
  const entries = new Map<string, { entry: TarEntry; pieces: Buffer[] }>();
  let last: Buffer[] = [];
  const reader = createTarReader({
    entry: (entry) => {
      last = [];
      entries.set(entry.name, { entry, pieces: last });
    },
    data: (piece) => void last.push(Buffer.from(piece)),
    end: () => {},
  });
  reader.push(archive);
  reader.finish();
  return new Map(
    [...entries].map(([name, { entry, pieces }]) => [
      name,
      { ...entry, content: Buffer.concat(pieces).toString('latin1') },
    ]),
  );
}

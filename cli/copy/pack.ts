import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { BLOCK } from '../../engine/tar/header.ts';
import { ARCHIVE_END, encodeHeader, paddingAfter, type WrittenEntry } from '../../engine/tar/writer.ts';

const READ_BYTES = 256 * 1024;

/**
 * Local files as a tar archive: `path`, and all below it, under `name`. Sockets are left out. Throws system errors.
 */
export async function* packLocal(path: string, name: string): AsyncGenerator<Uint8Array> {
  const firstNames = new Map<string, string>();
  yield* packEntry(Buffer.from(path), Buffer.from(name).toString('latin1'), firstNames);
  yield ARCHIVE_END;
}

async function* packEntry(
  path: Buffer,
  name: string,
  firstNames: Map<string, string>,
): AsyncGenerator<Uint8Array> {
  const stat = await lstat(path, { bigint: true });
  const entry = { name, ...attributesOf(stat) };
  if (stat.isDirectory()) {
    yield encodeHeader({ ...entry, flag: '5', name: `${name}/` });
    const children = await readdir(path, { encoding: 'buffer' });
    for (const child of children.toSorted(Buffer.compare)) {
      const below = Buffer.concat([path, Buffer.from('/'), child]);
      yield* packEntry(below, `${name}/${child.toString('latin1')}`, firstNames);
    }
  } else if (stat.isSymbolicLink()) {
    const target = await readlink(path, { encoding: 'latin1' });
    yield encodeHeader({ ...entry, flag: '2', target });
  } else if (stat.isFile()) {
    const first = stat.nlink > 1n ? firstNames.get(`${stat.dev}:${stat.ino}`) : undefined;
    if (first !== undefined) return yield encodeHeader({ ...entry, flag: '1', target: first });
    firstNames.set(`${stat.dev}:${stat.ino}`, name);
    yield* packFile(path, entry);
  } else if (stat.isFIFO()) yield encodeHeader({ ...entry, flag: '6' });
  else if (stat.isCharacterDevice() || stat.isBlockDevice())
    yield encodeHeader({ ...entry, flag: stat.isBlockDevice() ? '4' : '3', ...deviceOf(stat.rdev) });
}

/** A file as long as it was when it was opened: what grows meanwhile is cut, what shrinks is filled up with zeros. */
async function* packFile(path: Buffer, entry: Omit<WrittenEntry, 'flag'>): AsyncGenerator<Uint8Array> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const sizeBytes = (await file.stat()).size;
  yield encodeHeader({ ...entry, flag: '0', sizeBytes });
  for (let left = sizeBytes; left > 0; ) {
    const piece = Buffer.alloc(Math.min(left, READ_BYTES));
    const { bytesRead } = await file.read(piece, 0, piece.length, null);
    const size = bytesRead === 0 ? piece.length : bytesRead;
    yield piece.subarray(0, size);
    left -= size;
  }
  if (sizeBytes % BLOCK !== 0) yield paddingAfter(sizeBytes);
}

function attributesOf(stat: BigIntStats) {
  const second = 1_000_000_000n;
  const rest = ((stat.mtimeNs % second) + second) % second;
  return {
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: { seconds: Number((stat.mtimeNs - rest) / second), nanoseconds: Number(rest) },
  };
}

/** Major and minor of a device number, as the C library's makedev(3) packs them. */
function deviceOf(device: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn)),
  };
}

import { type BigIntStats, fstatSync, readSync } from 'node:fs';
import { BerthError, isErrno } from '../api/errors.ts';
import type { Path } from '../host/libc.ts';
import {
  entryPath,
  type Held,
  linkIn,
  namesIn,
  openEntry,
  openForReading,
  selfPath,
} from '../host/rooted-files.ts';
import { getXattr, listXattrs } from '../host/syscalls.ts';
import { BLOCK, type Moment } from '../tar/header.ts';
import { ARCHIVE_END, encodeHeader, paddingAfter, type WrittenEntry } from '../tar/writer.ts';

/** OCI image spec, layer.md, "Whiteouts". */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const OVERLAY_OPAQUE = 'trusted.overlay.opaque';
/** Attributes that mean something on another machine. */
const KEPT_XATTR = /^(?:security\.capability$|user\.(?!overlay\.))/;
/** PATH_MAX: a longer name could not be made again. It also bounds how many directories are open at a time. */
const MAX_NAME_BYTES = 4096;
const READ_BYTES = 256 * 1024;

export type PackOptions = {
  /** Takes the archive as it grows; what it is given is its own to keep. */
  readonly write: (bytes: Buffer) => void;
  /** The tree is an overlay's upper directory: its marks become whiteouts, and times are whole seconds, as in layers. */
  readonly layer?: boolean;
};

/** Packs what is in trees that others may be writing to. */
export type Packer = {
  /** What stands in an open directory under the name `child`, and all below it, as `name`. */
  readonly entry: (directory: number, child: string, name: string) => void;
  /** What is in an open directory; `prefix` comes before the names. */
  readonly inside: (directory: number, prefix: string) => void;
  /** An open directory and all below it; `name` ends with a slash. */
  readonly directory: (held: number, name: string) => void;
  readonly finish: () => void;
};

/**
 * Writes what is in trees as a tar archive: names in the order of their bytes, hard links to the first name, sockets
 * left out. Synchronous, for a thread of its own. Throws `invalid` on a path that is too long for any system.
 */
export function createPacker({ write, layer = false }: PackOptions): Packer {
  const firstNames = new Map<string, string>();
  let buffer: Buffer | undefined;

  const header = (entry: WrittenEntry) => {
    if (entry.name.length > MAX_NAME_BYTES)
      throw new BerthError('invalid', 'a file is nested too deep: its path is longer than 4096 bytes');
    const { seconds } = entry.mtime;
    write(encodeHeader(layer ? { ...entry, mtime: { seconds, nanoseconds: 0 } } : entry));
  };

  const marker = (name: string, stat: BigIntStats) => {
    const mtime = momentOf(stat.mtimeNs);
    header({ flag: '0', name, mode: 0, uid: 0, gid: 0, mtime });
  };

  /** Exactly `sizeBytes`, as the header says: what grows meanwhile is cut, what shrinks is filled up with zeros. */
  const content = (held: number, sizeBytes: number) => {
    using file = openForReading(held);
    for (let left = sizeBytes; left > 0; ) {
      buffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
      const want = Math.min(left, READ_BYTES);
      const got = readSync(file.descriptor, buffer, 0, want, null);
      if (got === 0) buffer.fill(0, 0, want);
      const size = got === 0 ? want : got;
      write(Buffer.from(buffer.subarray(0, size)));
      left -= size;
    }
    if (sizeBytes % BLOCK !== 0) write(paddingAfter(sizeBytes));
  };

  const file = (held: number, stat: BigIntStats, entry: Omit<WrittenEntry, 'flag'>) => {
    const key = `${stat.dev}:${stat.ino}`;
    const first = stat.nlink > 1n ? firstNames.get(key) : undefined;
    if (first !== undefined) return header({ ...entry, flag: '1', target: first });
    if (stat.nlink > 1n) firstNames.set(key, entry.name);
    const sizeBytes = Number(stat.size);
    header({ ...entry, flag: '0', sizeBytes });
    content(held, sizeBytes);
  };

  const packEntry = (directory: number, child: string, name: string) => {
    using held = openUnlessGone(directory, child);
    if (held === undefined) return;
    const stat = fstatSync(held.descriptor, { bigint: true });
    if (stat.isDirectory()) return packDirectory(held.descriptor, `${name}/`);
    const path = entryPath(directory, child);
    const entry = { name, ...attributesOf(stat, path) };
    if (stat.isFile()) return file(held.descriptor, stat, entry);
    if (stat.isSymbolicLink()) {
      const target = linkIn(directory, child);
      if (target !== undefined) header({ ...entry, flag: '2', target });
    } else if (stat.isFIFO()) header({ ...entry, flag: '6' });
    else if (stat.isCharacterDevice() || stat.isBlockDevice()) {
      if (layer && stat.rdev === 0n) return marker(whiteoutOf(name), stat);
      header({ ...entry, flag: stat.isBlockDevice() ? '4' : '3', ...deviceOf(stat.rdev) });
    }
  };

  const packInside = (directory: number, prefix: string) => {
    for (const child of namesIn(directory)) packEntry(directory, child, `${prefix}${child}`);
  };

  const packDirectory = (held: number, name: string) => {
    const path = `${selfPath(held)}/.`;
    const stat = fstatSync(held, { bigint: true });
    header({ flag: '5', name, ...attributesOf(stat, path) });
    if (layer && isOpaque(path)) marker(`${name}${OPAQUE}`, stat);
    packInside(held, name);
  };

  return {
    entry: packEntry,
    inside: packInside,
    directory: packDirectory,
    finish: () => write(Buffer.from(ARCHIVE_END)),
  };
}

/** Whether an overlay shows nothing of the layers below in this directory of its upper one. */
export function isOpaque(path: Path): boolean {
  return listXattrs(path).includes(OVERLAY_OPAQUE);
}

function openUnlessGone(directory: number, name: string): Held | undefined {
  try {
    return openEntry(directory, name);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function attributesOf(stat: BigIntStats, path: Path) {
  return {
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: momentOf(stat.mtimeNs),
    // Only these can have those that are kept.
    ...(stat.isFile() || stat.isDirectory() ? { xattrs: xattrsOf(path) } : {}),
  };
}

function xattrsOf(path: Path): readonly { readonly name: string; readonly value: Buffer }[] {
  try {
    return listXattrs(path)
      .filter((name) => KEPT_XATTR.test(name))
      .map((name) => ({ name, value: getXattr(path, name) }));
  } catch (error) {
    // The file system has none, or somebody took one away meanwhile.
    if (['ENOTSUP', 'ENODATA', 'ENOENT', 'ENOTDIR'].some((code) => isErrno(error, code))) return [];
    throw error;
  }
}

function whiteoutOf(name: string): string {
  const slash = name.lastIndexOf('/') + 1;
  return `${name.slice(0, slash)}${WHITEOUT}${name.slice(slash)}`;
}

/** A time in nanoseconds since 1970 as seconds and what is over. */
function momentOf(nano: bigint): Moment {
  const rest = ((nano % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: Number((nano - rest) / 1_000_000_000n), nanoseconds: Number(rest) };
}

/** Major and minor of a device number, as the C library's makedev(3) packs them. */
function deviceOf(device: bigint): { readonly major: number; readonly minor: number } {
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffffffffn)),
  };
}

import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, hexOf, wrongDigest, wrongSize } from '../api/digest.ts';
import { BerthError, isErrno } from '../api/errors.ts';

export type BlobReceiver = {
  readonly write: (piece: Uint8Array) => void;
  readonly finish: () => ReceivedBlob;
  /** Gives it up. */
  readonly abandon: () => void;
};

const READ_BYTES = 512 * 1024;

/** Blobs by digest, as files: `blobs/sha256/<hex>`. What is being written is in `ingest/` until it is whole. */
export type ContentStore = {
  /** Keeps bytes under their digest. When it returns they are on disk for good. */
  readonly put: (bytes: Buffer) => Promise<Digest>;
  /** A blob's bytes. Throws `internal` when it is not there, or not what its digest says. */
  readonly read: (digest: Digest) => Buffer;
  readonly has: (digest: Digest) => Promise<boolean>;
  /** The file of a blob, for reading; not checked. */
  readonly pathOf: (digest: Digest) => string;
  /** A blob's bytes as they are read, checked like `read` does when all have come: nothing is to be used before. */
  readonly stream: (digest: Digest) => AsyncGenerator<Buffer>;
  /** Removes a blob before it returns. */
  readonly remove: (digest: Digest) => void;
  /**
   * The same of one that may be large: it is not there any more when this returns, and its space is back when the
   * promise settles. To take hundreds of megabytes off a file system holds up whoever does it.
   */
  readonly discard: (digest: Digest) => Promise<void>;
  /**
   * Names a new file for a blob that somebody is about to write and check; it is gone when this is disposed of, unless
   * it is kept.
   */
  readonly reserve: (blob: { readonly digest: Digest; readonly sizeBytes: number }) => ReceivedBlob;
  /**
   * Writes a stream whose digest is not known before to such a file. The file is not synced: it does not outlive its
   * use.
   */
  readonly take: (source: AsyncIterable<Uint8Array>) => Promise<ReceivedBlob>;
  /** The same, and checks size and digest while it streams. Throws `invalid` when the bytes are not those expected. */
  readonly receive: (expected: Expected, source: AsyncIterable<Buffer>) => Promise<ReceivedBlob>;
  /** The same, written piece by piece: each is written before `write` returns. */
  readonly receiver: () => BlobReceiver;
  /**
   * Keeps what was received or taken under its digest, which was checked as it came. When it returns it is on disk for
   * good, and disposing of it takes nothing away.
   */
  readonly keep: (received: ReceivedBlob) => Promise<void>;
  /**
   * Reads a stream into memory, and checks size and digest. For small blobs: the size is the caller's to limit. Throws
   * `invalid` when the bytes are not those expected.
   */
  readonly collect: (expected: Expected, source: AsyncIterable<Buffer>) => Promise<Buffer>;
  /** The files of blobs, whatever they are called, and when each was changed. */
  readonly list: () => Promise<
    readonly { readonly name: string; readonly path: string; readonly changedMs: number }[]
  >;
  /** Removes all blobs but these, and all that was being written. Only while nothing else is under way. */
  readonly sweep: (keep: ReadonlySet<string>) => Promise<void>;
};

export type Expected = {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** What it is, for messages. */
  readonly what: string;
};

export type ReceivedBlob = AsyncDisposable & {
  readonly path: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
};

/** Opens the store in `root`, making its directories where they are missing. */
export function openContentStore(root: string): ContentStore {
  const blobs = join(root, 'blobs', 'sha256');
  const ingest = join(root, 'ingest');
  mkdirSync(blobs, { recursive: true, mode: 0o700 });
  mkdirSync(ingest, { recursive: true, mode: 0o700 });
  let count = 0;
  const pathOf = (digest: Digest) => join(blobs, hexOf(digest));
  const newFile = () => {
    count += 1;
    return join(ingest, `${process.pid}-${count}`);
  };
  const has = async (digest: Digest) => {
    try {
      return (await stat(pathOf(digest))).isFile();
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      return false;
    }
  };

  const take = async (source: AsyncIterable<Uint8Array>): Promise<ReceivedBlob> => {
    const path = newFile();
    const hash = createHash('sha256');
    let sizeBytes = 0;
    try {
      await using file = await open(path, 'wx', 0o600);
      for await (const piece of source) {
        hash.update(piece);
        sizeBytes += piece.length;
        await file.writeFile(piece);
      }
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    const digest: Digest = `sha256:${hash.digest('hex')}`;
    return {
      path,
      digest,
      sizeBytes,
      [Symbol.asyncDispose]: async () => await rm(path, { force: true }),
    };
  };

  return {
    has,
    put: async (bytes) => {
      const digest = digestOf(bytes);
      if (await has(digest)) return digest;
      const path = newFile();
      try {
        await using file = await open(path, 'wx', 0o600);
        await file.writeFile(bytes);
        await file.sync();
        await rename(path, pathOf(digest));
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
      await syncDirectory(blobs);
      return digest;
    },
    pathOf,
    stream: async function* (digest) {
      const hash = createHash('sha256');
      for await (const piece of createReadStream(pathOf(digest), { highWaterMark: READ_BYTES })) {
        hash.update(piece as Buffer);
        yield piece as Buffer;
      }
      if (`sha256:${hash.digest('hex')}` !== digest) throw damaged(digest);
    },
    keep: async ({ path, digest }) => {
      await using file = await open(path, 'r');
      await file.sync();
      await rename(path, pathOf(digest));
      await syncDirectory(blobs);
    },
    read: (digest) => {
      let bytes: Buffer;
      try {
        bytes = readFileSync(pathOf(digest));
      } catch (cause) {
        throw new BerthError('internal', `the store has lost ${digest}`, {
          hint: 'pull the image again',
          cause,
        });
      }
      if (digestOf(bytes) === digest) return bytes;
      throw damaged(digest);
    },
    remove: (digest) => rmSync(pathOf(digest), { force: true }),
    discard: async (digest) => {
      const gone = newFile();
      try {
        renameSync(pathOf(digest), gone);
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error;
        return;
      }
      await rm(gone, { force: true });
    },
    reserve: ({ digest, sizeBytes }) => {
      const path = newFile();
      return { path, digest, sizeBytes, [Symbol.asyncDispose]: async () => await rm(path, { force: true }) };
    },
    take,
    receive: async (expected, source) => await take(checked(expected, source)),
    receiver: () => {
      const path = newFile();
      const descriptor = openSync(path, 'wx', 0o600);
      const hash = createHash('sha256');
      let sizeBytes = 0;
      return {
        write: (piece) => {
          hash.update(piece);
          for (let at = 0; at < piece.length; ) at += writeSync(descriptor, piece, at);
          sizeBytes += piece.length;
        },
        finish: () => {
          closeSync(descriptor);
          const digest: Digest = `sha256:${hash.digest('hex')}`;
          return {
            path,
            digest,
            sizeBytes,
            [Symbol.asyncDispose]: async () => await rm(path, { force: true }),
          };
        },
        abandon: () => {
          closeSync(descriptor);
          rmSync(path, { force: true });
        },
      };
    },
    collect: async (expected, source) => {
      const pieces: Buffer[] = [];
      for await (const piece of checked(expected, source)) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    list: async () =>
      await Promise.all(
        (await readdir(blobs)).map(async (name) => {
          const path = join(blobs, name);
          return { name, path, changedMs: (await stat(path)).ctimeMs };
        }),
      ),
    sweep: async (keep) => {
      for (const name of await readdir(ingest))
        await rm(join(ingest, name), { recursive: true, force: true });
      for (const name of await readdir(blobs)) {
        if (!keep.has(`sha256:${name}`)) await rm(join(blobs, name), { recursive: true, force: true });
      }
    },
  };
}

function damaged(digest: Digest): BerthError {
  return new BerthError('internal', `what the store has for ${digest} is damaged`, {
    hint: 'pull the image again',
  });
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

/** Passes a stream on, and throws `invalid` where its size or, at its end, its digest is not the one expected. */
async function* checked(expected: Expected, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { digest, sizeBytes, what } = expected;
  const hash = createHash('sha256');
  let received = 0;
  for await (const piece of source) {
    received += piece.length;
    if (received > sizeBytes) break;
    hash.update(piece);
    yield piece;
  }
  if (received !== sizeBytes) throw wrongSize(what, sizeBytes, received > sizeBytes ? undefined : received);
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== digest) throw wrongDigest(what, digest, actual);
}

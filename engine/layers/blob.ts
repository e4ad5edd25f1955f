import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsync, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { wrongDigest, wrongSize } from '../api/digest.ts';
import type { PromisedBlob } from './worker-protocol.ts';

/** Where the bytes of a layer's blob come from, and how many have been read. */
export type BlobSource = {
  readonly pieces: () => AsyncIterable<Buffer>;
  readonly consumed: () => number;
};

const READ_BYTES = 256 * 1024;

/** A blob that is in a file, and was checked before. */
export function fileBlob(path: string): BlobSource {
  const stream = createReadStream(path, { highWaterMark: READ_BYTES });
  return { pieces: () => stream, consumed: () => stream.bytesRead };
}

/** A blob that comes in pieces: each is written to its file and hashed before it is passed on. */
export function incomingBlob(
  { path, digest, sizeBytes, what }: PromisedBlob,
  source: AsyncIterable<Buffer>,
): BlobSource & Disposable & { readonly verify: () => Promise<void>; readonly sync: () => Promise<void> } {
  const file = openSync(path, 'wx', 0o600);
  const hash = createHash('sha256');
  const iterator = source[Symbol.asyncIterator]();
  let received = 0;
  const next = async (): Promise<Buffer | undefined> => {
    const { value, done } = await iterator.next();
    if (done === true) return undefined;
    received += value.length;
    if (received > sizeBytes) throw wrongSize(what, sizeBytes, undefined);
    hash.update(value);
    for (let at = 0; at < value.length; ) at += writeSync(file, value, at);
    return value;
  };
  return {
    consumed: () => received,
    pieces: async function* () {
      for (let piece = await next(); piece !== undefined; piece = await next()) yield piece;
    },
    /** Takes what is left, and throws `invalid` where all of it is not what was promised. */
    verify: async () => {
      while ((await next()) !== undefined);
      if (received !== sizeBytes) throw wrongSize(what, sizeBytes, received);
      const actual = `sha256:${hash.digest('hex')}`;
      if (actual === digest) return;
      throw wrongDigest(what, digest, actual);
    },
    /** When it settles its file is on disk; another thread waits for the disk. */
    sync: () => promisify(fsync)(file),
    [Symbol.dispose]: () => closeSync(file),
  };
}

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { ByteStream } from '../api/operations.ts';
import type { LayerLimits } from './types.ts';

const CHUNK_BYTES = 256 * 1024;
/** So many tell a compression. */
const HEAD_BYTES = 8;

type Compression = 'gzip' | 'zstd' | 'none';

/**
 * Tells the compression by the first bytes, as dockerd does: media types are known to be wrong.
 * Throws `unsupported` on bzip2 and xz, which dockerd once took.
 */
function compressionOf(head: Buffer): Compression {
  const hex = head.toString('hex');
  if (hex.startsWith('1f8b08')) return 'gzip';
  // A skippable frame may come first (RFC 8878, 3.1.2): zstd:chunked and eStargz's cousin begin so.
  if (hex.startsWith('28b52ffd') || /^5[0-9a-f]2a4d18/.test(hex)) return 'zstd';
  const other = hex.startsWith('425a68') ? 'bzip2' : hex.startsWith('fd377a585a00') ? 'xz' : undefined;
  if (other === undefined) return 'none';
  throw new BerthError('unsupported', `the archive is compressed with ${other}, which is not supported`, {
    hint: 'compress it with gzip or zstd',
  });
}

/**
 * Streams a layer's uncompressed archive to `onChunk` and checks its digest at the end. `consumed` says how much of
 * the blob has been read. Throws `invalid` on damaged data, another digest, or more than the limits allow.
 */
export async function readLayer(options: {
  readonly blob: ByteStream;
  readonly consumed: () => number;
  readonly diffId: Digest;
  readonly limits: LayerLimits;
  readonly onChunk: (chunk: Buffer) => void;
}): Promise<void> {
  const { blob, consumed, diffId, limits, onChunk } = options;
  const hash = createHash('sha256');
  let total = 0;
  for await (const chunk of decompressed(blob)) {
    total += chunk.length;
    checkSize(total, consumed(), limits);
    hash.update(chunk);
    onChunk(chunk);
  }
  const actual = `sha256:${hash.digest('hex')}`;
  if (actual !== diffId) {
    throw new BerthError(
      'invalid',
      `the layer is not the one its image names: ${diffId} was promised, ${actual} came`,
      {
        hint: 'the image was pushed wrongly; push it again',
      },
    );
  }
}

/**
 * The archive of a stream that may be compressed, told by its first bytes. Throws `unsupported` on bzip2 and xz, and
 * `invalid` on damaged data.
 */
export async function* decompressed(source: ByteStream): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let ended = false;
  while (head.length < HEAD_BYTES && !ended) {
    const { value, done } = await chunks.next();
    if (done === true) ended = true;
    else head = Buffer.concat([head, value]);
  }
  async function* whole() {
    yield head;
    if (!ended) yield* { [Symbol.asyncIterator]: () => chunks };
  }
  const compression = compressionOf(head);
  if (compression === 'none') return yield* asBuffers(whole());
  // With so low a mark a piece is used up before the next is asked for: its memory may be used again then.
  const options = { chunkSize: CHUNK_BYTES, writableHighWaterMark: 1 };
  const inflate = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  const feeding = pipeline(whole(), inflate);
  feeding.catch(() => {});
  try {
    yield* inflate as AsyncIterable<Buffer>;
    await feeding;
  } catch (error) {
    throw damaged(error, compression);
  }
}

async function* asBuffers(source: ByteStream): AsyncGenerator<Buffer> {
  for await (const chunk of source) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** How a file is compressed, by its first bytes. Throws `unsupported` on bzip2 and xz. */
export async function compressionOfFile(path: string): Promise<Compression> {
  return compressionOf(await headOf(path));
}

async function headOf(path: string): Promise<Buffer> {
  await using file = await open(path, 'r');
  const head = Buffer.alloc(HEAD_BYTES);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  return head.subarray(0, bytesRead);
}

/** Throws `invalid` on an archive that has grown to more than the limits allow. */
export function checkSize(total: number, consumed: number, limits: LayerLimits): void {
  const { maxBytes, maxRatio, ratioFromBytes } = limits;
  if (total > maxBytes)
    throw new BerthError('invalid', `the layer is larger than ${maxBytes} bytes uncompressed`);
  if (total > ratioFromBytes && total > consumed * maxRatio) {
    throw new BerthError(
      'invalid',
      `the layer grows to more than ${maxRatio} times its size when uncompressed`,
      {
        hint: 'it looks like a decompression bomb',
      },
    );
  }
}

/** zlib's errors, in words. */
function damaged(error: unknown, compression: Compression): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (error instanceof BerthError || !/^(Z_|ZSTD_|ERR_ZLIB|ERR_BUFFER)/.test(code)) return error;
  return new BerthError('invalid', `the archive's ${compression} data is damaged: ${message}`, {
    cause: error,
  });
}

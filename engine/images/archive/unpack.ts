import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import type { Digest } from '../../api/digest.ts';
import { hexOf } from '../../api/digest.ts';
import { BerthError } from '../../api/errors.ts';
import type { ByteStream } from '../../api/operations.ts';
import type { BlobReceiver, ContentStore, ReceivedBlob } from '../../content/store.ts';
import { checkSize, decompressed } from '../../layers/decompress.ts';
import type { LayerLimits } from '../../layers/types.ts';
import { createTarReader, type TarEntry } from '../../tar/reader.ts';

/** The files of an archive of images, by name; they are gone when it is disposed of. */
export type ImageFiles = AsyncDisposable & {
  /** A file, through links; undefined where there is none. */
  readonly find: (name: string) => ReceivedBlob | undefined;
  /** The blob of a digest in an OCI layout. Throws `invalid` where there is none, or another than its name says. */
  readonly blob: (digest: Digest, what: string) => ReceivedBlob;
  /** A small file as JSON. Throws `invalid`; undefined where there is none. */
  readonly json: (name: string) => Promise<unknown>;
};

/** More have no archives of images: three a layer, in the oldest. */
const MAX_FILES = 100_000;
const MAX_LINKS = 8;
const MAX_JSON_BYTES = 4 * 2 ** 20;

/**
 * Takes an archive of images apart, compressed or not, into files of the store's own names: nothing in the archive
 * names a file here. Throws `invalid` on what is no archive, or more than the limits allow; `cancelled`.
 */
export async function unpackImages(
  content: Pick<ContentStore, 'receiver'>,
  options: { readonly archive: ByteStream; readonly limits: LayerLimits; readonly signal: AbortSignal },
): Promise<ImageFiles> {
  const { archive, limits, signal } = options;
  const files = new Map<string, ReceivedBlob>();
  const links = new Map<string, string>();
  await using undo = new AsyncDisposableStack();
  let open: { readonly name: string; readonly receiver: BlobReceiver } | undefined;
  let [total, taken] = [0, 0];
  undo.defer(() => open?.receiver.abandon());

  const entry = (header: TarEntry) => {
    const name = nameOf(header.name);
    if (files.size + links.size >= MAX_FILES)
      throw new BerthError('invalid', `the archive has more than ${MAX_FILES} files`);
    if (header.flag === '0' || header.flag === '7') open = { name, receiver: content.receiver() };
    // In docker's older archives a layer that two images share is a link in one of them.
    else if (header.flag === '1') links.set(name, nameOf(header.target));
    else if (header.flag === '2') links.set(name, nameOf(posix.join(posix.dirname(name), header.target)));
    else if (header.flag !== '5')
      throw new BerthError('invalid', `'${name}' in the archive is neither a file nor a directory`);
  };
  const reader = createTarReader({
    entry,
    data: (piece) => {
      open?.receiver.write(piece);
    },
    end: () => {
      if (open === undefined) return;
      const { name, receiver } = open;
      open = undefined;
      const file = undo.use(receiver.finish());
      // As with tar, what comes later takes the place of what came before.
      links.delete(name);
      files.set(name, file);
    },
  });
  const counted = async function* () {
    for await (const piece of archive) {
      taken += piece.length;
      yield piece;
    }
  };
  for await (const chunk of decompressed(counted())) {
    total += chunk.length;
    checkSize(total, taken, limits);
    if (signal.aborted) throw new BerthError('cancelled', 'the load was cancelled');
    reader.push(chunk);
  }
  reader.finish();

  const find = (name: string): ReceivedBlob | undefined => {
    let at = posix.normalize(name);
    for (let hops = 0; hops <= MAX_LINKS; hops += 1) {
      const file = files.get(at);
      if (file !== undefined) return file;
      const target = links.get(at);
      if (target === undefined) return undefined;
      at = target;
    }
    return undefined;
  };
  const kept = undo.move();
  return {
    find,
    blob: (digest, what) => {
      const file = find(`blobs/sha256/${hexOf(digest)}`);
      if (file === undefined) throw new BerthError('invalid', `the archive lacks ${what}, ${digest}`);
      if (file.digest === digest) return file;
      throw new BerthError(
        'invalid',
        `${what} in the archive is not what its digest says: ${digest} was promised, ${file.digest} came`,
      );
    },
    json: async (name) => {
      const file = find(name);
      return file === undefined ? undefined : parseJson(await readSmall(file, name), name);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Reads a file that has to be small. Throws `invalid` where it is not. */
export async function readSmall(
  file: ReceivedBlob,
  what: string,
  maxBytes = MAX_JSON_BYTES,
): Promise<Buffer> {
  if (file.sizeBytes > maxBytes)
    throw new BerthError(
      'invalid',
      `${what} in the archive has ${file.sizeBytes} bytes; at most ${maxBytes} are read`,
    );
  return await readFile(file.path);
}

function parseJson(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch (cause) {
    throw new BerthError('invalid', `${name} in the archive is not JSON`, { cause });
  }
}

function nameOf(name: string): string {
  const clean = posix.normalize(name).replace(/^\/+|\/+$/g, '');
  if (clean === '..' || clean.startsWith('../'))
    throw new BerthError('invalid', `'${name.slice(0, 200)}' in the archive leaves it`);
  return clean;
}

import { createHash } from 'node:crypto';
import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import { type Answer, mayPass } from './http.ts';
import { refusal } from './refusal.ts';
import { backOff, PASSING } from './retry.ts';
import type { Session } from './session.ts';
import type { RegistryLimits } from './settings.ts';

/** A blob that is here and goes to a registry. */
export type OutgoingBlob = {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Its bytes from `start` on, up to `end`, which is not among them. May be asked for several times. */
  readonly read: (start: number, end: number) => AsyncIterable<Uint8Array>;
};

export type UploadOptions = {
  readonly session: Session;
  readonly blob: OutgoingBlob;
  /** Other repositories of the registry where it was seen. */
  readonly seenIn: readonly string[];
  /** For messages. */
  readonly what: string;
  readonly limits: RegistryLimits;
  readonly signal: AbortSignal;
  /** How much of it has been sent. */
  readonly onBytes?: ((sent: number) => void) | undefined;
};

type FindOptions = Omit<UploadOptions, 'blob'> & { readonly blob: Pick<OutgoingBlob, 'digest'> };

/** How a blob came to be in the repository; `mounted` names the repository that it is shared with. */
export type Uploaded =
  | { readonly how: 'exists' | 'sent' }
  | { readonly how: 'mounted'; readonly from: string };

/** More are hardly ever of use, and each is a request. */
const MAX_MOUNTS = 3;
/** As much as has to be sent between two breaks for the count of tries to begin anew. */
const PROGRESS_BYTES = 4 * 1024 * 1024;

/**
 * Sees to it that a repository has a blob (distribution spec, "Pushing blobs"): looks, asks for it to be mounted from
 * where it was seen, and else sends it, in one request or, where it is long, in several. What breaks goes on where the
 * registry says that it has got to. Throws `unavailable` when tries run out, `internal` where the blob here is damaged:
 * it is checked as it is sent, and never finished then.
 */
export async function uploadBlob(options: UploadOptions): Promise<Uploaded> {
  const shared = await findBlob(options);
  if (shared !== undefined) return shared;
  return await sendBlob(options);
}

/** Whether a repository has a blob, or can be given it without sending it; undefined where not. */
export async function findBlob(options: FindOptions): Promise<Uploaded | undefined> {
  if (await hasBlob(options)) return { how: 'exists' };
  const { session, blob, what, signal } = options;
  for (const from of options.seenIn.slice(0, MAX_MOUNTS)) {
    const query = new URLSearchParams({ mount: blob.digest, from });
    try {
      const path = `blobs/uploads/?${query}`;
      const expected = [201, 202, 400, 404, 405];
      const answer = await session.send({ method: 'POST', path, expected, what, signal, from });
      answer.discard();
      if (answer.status === 201) return { how: 'mounted', from };
      if (answer.status === 202) await cancel(options, locationOf(answer, what));
    } catch (error) {
      // Not ours to read, as a rule: then it is sent.
      if (!(error instanceof BerthError) || error.code === 'cancelled') throw error;
      if (error.code !== 'unauthorized') throw error;
    }
  }
  return undefined;
}

async function hasBlob({ session, blob, what, signal }: FindOptions): Promise<boolean> {
  const path = `blobs/${blob.digest}`;
  const answer = await session.send({ method: 'HEAD', path, expected: [200, 404], what, signal });
  answer.discard();
  return answer.status === 200;
}

/** Gives an upload up that the registry began in place of a mount. What it does not let go of, it lets expire. */
async function cancel(
  { session, what, signal }: Pick<UploadOptions, 'session' | 'what' | 'signal'>,
  upload: URL,
) {
  const expected = [200, 202, 204, 404, 405];
  await session
    .send({ method: 'DELETE', path: upload, expected, what, signal, retried: false })
    .then((answer) => answer.discard())
    .catch(() => {});
}

/** Where an upload goes on. Without a say in the matter, where it was. */
function locationOf(answer: Answer, what: string, before?: URL): URL {
  const location = answer.header('location');
  if (location === undefined && before !== undefined) return before;
  const url = location === undefined ? null : URL.parse(location, answer.url);
  if (url === null) throw new BerthError('unavailable', `the registry names no place to send ${what} to`);
  // A proxy that ends TLS, and a registry behind it that knows nothing of it.
  if (url.host === answer.url.host) url.protocol = answer.url.protocol;
  return url;
}

async function begin({ session, what, signal }: UploadOptions): Promise<URL> {
  const answer = await session.send({
    method: 'POST',
    path: 'blobs/uploads/',
    expected: [202],
    what,
    signal,
  });
  answer.discard();
  return locationOf(answer, what);
}

async function sendBlob(options: UploadOptions): Promise<Uploaded> {
  const { what, limits, signal } = options;
  const { sizeBytes } = options.blob;
  const source = checkedSource(options);
  let upload = await begin(options);
  let offset = 0;
  let lastBreak = 0;
  for (let failures = 0; ; failures += 1) {
    try {
      while (offset < sizeBytes - limits.chunkBytes) {
        const end = offset + limits.chunkBytes;
        const answer = await sendPart(options, { source, upload, start: offset, end });
        upload = locationOf(answer, what, upload);
        offset = end;
      }
      await sendPart(options, { source, upload, start: offset, end: sizeBytes, last: true });
      return { how: 'sent' };
    } catch (error) {
      const overrun = error instanceof Overrun ? error : undefined;
      if (overrun === undefined && !mayPass(error)) throw error;
      if (failures >= limits.retries) throw overrun?.refused ?? error;
      await backOff(failures, { limits, signal, retryAfter: overrun?.retryAfter });
    }
    const at = await arrived(options, upload);
    if (at !== undefined && at <= sizeBytes) offset = at;
    else {
      // The registry knows nothing of it any more: because it has all of it, or has lost it.
      if (await hasBlob(options)) return { how: 'sent' };
      upload = await begin(options);
      offset = 0;
    }
    if (offset - lastBreak >= PROGRESS_BYTES) failures = -1;
    lastBreak = offset;
  }
}

/** How much of an upload the registry has; undefined where it knows nothing of it. */
async function arrived({ session, what, signal }: UploadOptions, upload: URL): Promise<number | undefined> {
  const answer = await session.send({ path: upload, expected: [204, 202, 400, 404, 405], what, signal });
  answer.discard();
  if (answer.status !== 204 && answer.status !== 202) return undefined;
  const range = /^(?:bytes=)?0-(\d+)$/.exec(answer.header('range') ?? '');
  // Registries say 0-0 of nothing as they do of one byte.
  const last = Number(range?.[1] ?? 0);
  return last === 0 ? 0 : last + 1;
}

/** A registry that has no time now, or has got to another place. */
class Overrun extends Error {
  readonly refused: BerthError;
  readonly retryAfter: string | undefined;
  constructor(refused: BerthError, retryAfter: string | undefined) {
    super(refused.message);
    this.refused = refused;
    this.retryAfter = retryAfter;
  }
}

async function sendPart(
  options: UploadOptions,
  part: {
    readonly source: ReturnType<typeof checkedSource>;
    readonly upload: URL;
    readonly start: number;
    readonly end: number;
    readonly last?: boolean;
  },
): Promise<Answer> {
  const { session, blob, what, signal } = options;
  const { source, upload, start, end, last = false } = part;
  const url = new URL(upload);
  if (last) url.searchParams.set('digest', blob.digest);
  const whole = start === 0 && last;
  const answer = await session.send({
    method: last ? 'PUT' : 'PATCH',
    path: url,
    headers: {
      'content-type': 'application/octet-stream',
      ...(whole || end === start ? {} : { 'content-range': `${start}-${end - 1}` }),
    },
    body: { pieces: () => source(start, end), sizeBytes: end - start },
    // 416: the registry has got to another place than we think.
    expected: [...(last ? [201, 204] : [202, 201, 204]), 416, ...PASSING],
    what,
    signal,
    retried: false,
  });
  if (answer.status === 416 || PASSING.has(answer.status)) {
    throw new Overrun(await refusal(answer, { what, host: answer.url.host }), answer.header('retry-after'));
  }
  answer.discard();
  return answer;
}

/** Reads parts of a blob, and refuses to give its last piece where all of them together are not what its digest says. */
function checkedSource({ blob, what, onBytes }: UploadOptions) {
  const hash = createHash('sha256');
  let hashed = 0;
  const damaged = () =>
    new BerthError('internal', `what the store has for ${blob.digest} of ${what} is damaged`, {
      hint: 'pull the image again',
    });
  return async function* read(start: number, end: number): AsyncGenerator<Uint8Array> {
    let at = start;
    for await (const piece of blob.read(start, end)) {
      const next = at + piece.length;
      if (next > end) throw damaged();
      if (at <= hashed && next > hashed) {
        hash.update(piece.subarray(hashed - at));
        hashed = next;
        if (hashed === blob.sizeBytes && `sha256:${hash.digest('hex')}` !== blob.digest) throw damaged();
      }
      yield piece;
      at = next;
      onBytes?.(at);
    }
    if (at !== end) throw damaged();
  };
}

import { BerthError } from '../api/errors.ts';
import { type Answer, mayPass } from './http.ts';
import type { Descriptor } from './manifest.ts';
import { backOff } from './retry.ts';
import type { Session } from './session.ts';
import type { RegistryLimits } from './settings.ts';

/** As much as has to come between two breaks for the count of tries to begin anew. */
const PROGRESS_BYTES = 4 * 1024 * 1024;

/**
 * The bytes of a blob, in order and exactly as many as its descriptor says. A transfer that breaks is resumed where
 * it broke, with a range request (distribution spec, "Pulling blobs"); where the registry ignores the range, what
 * came already is skipped. The digest is for the reader to check, over all of it.
 * Throws `unavailable` when tries run out, `invalid` when the size is not the one promised.
 */
export async function* streamBlob(options: {
  readonly session: Session;
  readonly descriptor: Descriptor;
  /** Where to begin: what came before is there already. */
  readonly from: number;
  readonly what: string;
  readonly limits: RegistryLimits;
  readonly signal: AbortSignal;
}): AsyncGenerator<Buffer> {
  const { descriptor, what, limits, signal } = options;
  const size = descriptor.sizeBytes;
  let offset = options.from;
  let lastBreak = offset;
  for (let failures = 0; ; failures += 1) {
    try {
      const answer = await requestFrom(offset, options);
      let skip = answer.status === 206 ? 0 : offset;
      for await (const piece of answer.body) {
        const fresh = piece.subarray(Math.min(skip, piece.length));
        skip -= piece.length - fresh.length;
        if (offset + fresh.length > size) {
          throw new BerthError('invalid', `${what} is longer than the ${size} bytes that its manifest says`);
        }
        offset += fresh.length;
        if (fresh.length > 0) yield fresh;
      }
      if (offset === size) return;
      throw new BerthError('unavailable', `${what} ended after ${offset} of ${size} bytes`, {
        cause: new Error('the transfer was cut short'),
        hint: 'try again',
      });
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (offset - lastBreak >= PROGRESS_BYTES) failures = 0;
      if (failures >= limits.retries) throw error;
      lastBreak = offset;
      await backOff(failures, { limits, signal });
    }
  }
}

async function requestFrom(offset: number, options: Parameters<typeof streamBlob>[0]): Promise<Answer> {
  const { session, descriptor, what, signal } = options;
  const size = descriptor.sizeBytes;
  const answer = await session.send({
    path: `blobs/${descriptor.digest}`,
    // Encodings would put another length and other bytes on the wire.
    headers: { 'accept-encoding': 'identity', ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) },
    expected: offset > 0 ? [200, 206] : [200],
    what,
    signal,
  });
  const length = answer.header('content-length');
  const expected = answer.status === 206 ? size - offset : size;
  if (length !== undefined && Number(length) !== expected) {
    answer.discard();
    throw new BerthError('invalid', `${what} has ${length} bytes where its manifest says ${expected}`, {
      hint: 'the registry, or something before it, serves other content than was pushed',
    });
  }
  if (answer.status === 206 && !answer.header('content-range')?.startsWith(`bytes ${offset}-`)) {
    answer.discard();
    throw new BerthError('invalid', `the registry resumes ${what} at another place than was asked for`);
  }
  return answer;
}

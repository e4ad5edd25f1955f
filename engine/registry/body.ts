import { BerthError } from '../api/errors.ts';
import type { Answer } from './http.ts';

/** Reads a whole body. Throws `invalid` when it is longer than `maxBytes`; `what` says whose it is. */
export async function readBody(
  answer: Answer,
  options: { readonly maxBytes: number; readonly what: string },
): Promise<Buffer> {
  const { maxBytes, what } = options;
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of answer.body) {
    length += piece.length;
    if (length > maxBytes) {
      throw new BerthError('invalid', `the answer of ${what} is longer than ${maxBytes} bytes`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

import { Refusal } from '../images/hosted/error.ts';

/** Bytes `start` to `end`, which is not one of them. */
export type Range = { readonly start: number; readonly end: number };

/**
 * Reads a Range header (RFC 9110, section 14). Undefined where all is meant: none was asked for, several were, or it is
 * malformed, which is to be ignored. Throws `Refusal`: RANGE_INVALID where there are no such bytes.
 */
export function readRange(header: string | undefined, sizeBytes: number): Range | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return undefined;
  const start = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const end = from === '' || to === '' ? sizeBytes : Math.min(sizeBytes, Number(to) + 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  if (start >= end) throw new Refusal('RANGE_INVALID', `there are ${sizeBytes} bytes, none in ${header}`);
  return { start, end };
}

/**
 * Checks that a chunk goes on where the last one ended (OCI distribution spec, "Pushing a blob in chunks"). Its
 * Content-Range has no unit, though some clients write one. Throws `Refusal`: RANGE_INVALID, SIZE_INVALID.
 */
export function checkContentRange(
  headers: { readonly 'content-range'?: string | undefined; readonly 'content-length'?: string | undefined },
  sizeBytes: number,
): void {
  const text = headers['content-range'];
  if (text === undefined) return;
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(text.trim());
  if (match === null)
    throw new Refusal('RANGE_INVALID', `Content-Range '${text.slice(0, 100)}' is not first-last`);
  const [start, last] = [Number(match[1]), Number(match[2])];
  if (start !== sizeBytes)
    throw new Refusal('RANGE_INVALID', `the chunk begins at ${start}, and ${sizeBytes} bytes are there`);
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== last - start + 1)
    throw new Refusal('SIZE_INVALID', `Content-Range ${text} and Content-Length ${length} differ`);
}

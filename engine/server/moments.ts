import { BerthError } from '../api/errors.ts';

const NANO = 1_000_000_000n;
const SECONDS = /^(-?\d{1,18})(?:\.(\d{1,9})\d*)?$/;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9})\d*)?(?:Z|[+-]\d\d:\d\d)$/i;

/**
 * Reads a moment of a query string, `seconds[.fraction]` since 1970 as clients send it or RFC 3339, in nanoseconds.
 * `name` is the key it came under. Throws `invalid`.
 */
export function parseMoment(name: string, text: string): bigint {
  const seconds = SECONDS.exec(text);
  if (seconds !== null) return BigInt(seconds[1] ?? 0) * NANO + fraction(seconds[2]);
  const date = RFC3339.exec(text);
  const parsedMs = date === null ? Number.NaN : Date.parse(text.replace(/\.\d+/, ''));
  if (date !== null && !Number.isNaN(parsedMs)) return BigInt(parsedMs) * 1_000_000n + fraction(date[1]);
  throw new BerthError('invalid', `invalid value '${text}' for ${name}: expected a moment`, {
    hint: 'send seconds since 1970, as in 1700000000.5, or RFC 3339, as in 2026-01-31T08:00:00Z',
  });
}

const fraction = (digits: string | undefined) => BigInt((digits ?? '').padEnd(9, '0'));

import { BerthError } from '../engine/api/errors.ts';
import type { LogLine } from './log-lines.ts';

const NANOS = 1_000_000_000n;

/**
 * Where a page of a log begins, for the page before it: the moment of its first line, and how many lines of that
 * moment were shown already. conmon gives all the lines that it reads at once the same moment.
 */
export type LogCursor = { readonly until: string; readonly skip: number };

const CURSOR = /^(\d{1,12}\.\d{9})~(\d{1,5})$/;

/** Reads a cursor that `cursorBefore` wrote. Throws `invalid`. */
export function parseCursor(text: string): LogCursor {
  const match = CURSOR.exec(text);
  if (match?.[1] !== undefined) return { until: match[1], skip: Number(match[2]) };
  throw new BerthError('invalid', `invalid cursor '${text.slice(0, 64)}'`, {
    hint: 'pass the cursor of the last result as it stands',
  });
}

/** The cursor for what lies before the lines shown; undefined where they carry no time. */
export function cursorBefore(shown: readonly LogLine[], previous: LogCursor | undefined): string | undefined {
  const first = shown[0]?.time;
  if (first === undefined) return undefined;
  // A nanosecond later, because engines differ in whether `until` includes its own moment.
  const until = momentAfter(first);
  const same = shown.filter(({ time }) => time === first).length;
  return `${until}~${same + (previous?.until === until ? previous.skip : 0)}`;
}

/** The nanosecond after a log line's (RFC 3339), as the seconds since 1970 that every engine reads. */
export function momentAfter(time: string): string {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? '';
  const ms = Date.parse(time.replace(/\.\d+/, ''));
  const total = BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0')) + 1n;
  return `${total / NANOS}.${String(total % NANOS).padStart(9, '0')}`;
}

/** Passes on all but the last `count` of what it is given. */
export function withoutLast<T>(count: number, pass: (item: T) => void): (item: T) => void {
  if (count === 0) return pass;
  const held: T[] = [];
  let next = 0;
  return (item) => {
    const oldest = held[next];
    held[next] = item;
    next = (next + 1) % count;
    if (oldest !== undefined) pass(oldest);
  };
}

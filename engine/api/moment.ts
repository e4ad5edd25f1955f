import { BerthError } from './errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const DURATION = /^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/;
const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * A moment as people write it (`10m` ago, `2026-01-31`, `2026-01-31T08:00:00.5Z`, seconds since 1970), as the
 * seconds since 1970 that every engine reads. Dates without a zone are local. Throws `invalid`.
 */
export function unixMoment(text: string, nowMs: number = Date.now()): string {
  if (/^\d+(?:\.\d{1,9})?$/.test(text)) return text;
  if (DURATION.test(text)) {
    let backMs = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g))
      backMs += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
    return seconds(nowMs - backMs);
  }
  if (DATE.test(text)) {
    const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
    const whole = text.replace(/\.\d+/, '');
    // Date.parse takes a date alone for UTC, and hours alone not at all.
    const time = /T\d{2}(?:Z|[+-]|$)/.test(whole) ? whole.replace(/T\d{2}/, '$&:00') : whole;
    const parsedMs = Date.parse(time.includes('T') ? time : `${time}T00:00`);
    if (!Number.isNaN(parsedMs)) return `${parsedMs / 1000}${fraction === '' ? '' : `.${fraction}`}`;
  }
  throw new BerthError('invalid', `invalid time '${text}'`, {
    hint: 'write 10m, 1h30m, 2026-01-31T08:00:00Z, or seconds since 1970',
  });
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A span of time as docker words it (go-units HumanDuration): `About a minute`, `3 weeks`. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / SECOND);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(ms / MINUTE);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(ms / HOUR);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(ms / DAY);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** How long ago a moment was, in seconds since 1970; `N/A` for none. */
export function ago(unixSeconds: number, nowMs: number = Date.now()): string {
  return unixSeconds <= 0 ? 'N/A' : `${humanDuration(nowMs - unixSeconds * SECOND)} ago`;
}

/** A moment as Go prints it: `2026-11-24 03:20:39 +0000 UTC`. */
export function goTime(unixSeconds: number): string {
  const date = new Date(unixSeconds * SECOND);
  const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' })
    .formatToParts(date)
    .find(({ type }) => type === 'timeZoneName')?.value;
  return `${localDate(date)} ${localTime(date)} ${localOffset(date).replace(':', '')} ${zone ?? 'UTC'}`;
}

/** A moment in nanoseconds since 1970 as docker prints events: local RFC 3339 with nine digits of a second. */
export function rfc3339Nano(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n));
  const offset = localOffset(date);
  const fraction = String(ns % 1_000_000_000n).padStart(9, '0');
  return `${localDate(date)}T${localTime(date)}.${fraction}${offset === '+00:00' ? 'Z' : offset}`;
}

const two = (n: number) => String(n).padStart(2, '0');
const localDate = (date: Date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const localTime = (date: Date) =>
  `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

function localOffset(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}:${two(absolute % 60)}`;
}

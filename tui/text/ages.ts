/**
 * Ages in the words of the docker CLI (go-units, HumanDuration), with one difference: a duration below a
 * minute is «Less than a minute». Seconds would have to tick, and an idle dashboard writes nothing.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type Step = {
  /** The step holds below this duration. */
  readonly belowMs: number;
  readonly unitMs: number;
  readonly unit: string;
  /** Added before dividing: go-units rounds hours, and cuts all else. */
  readonly roundMs: number;
};

const steps: readonly Step[] = [
  { belowMs: HOUR, unitMs: MINUTE, unit: 'minutes', roundMs: 0 },
  { belowMs: 47.5 * HOUR, unitMs: HOUR, unit: 'hours', roundMs: HOUR / 2 },
  { belowMs: 14 * DAY - HOUR / 2, unitMs: DAY, unit: 'days', roundMs: HOUR / 2 },
  { belowMs: 60 * DAY - HOUR / 2, unitMs: 7 * DAY, unit: 'weeks', roundMs: HOUR / 2 },
  { belowMs: 730 * DAY - HOUR / 2, unitMs: 30 * DAY, unit: 'months', roundMs: HOUR / 2 },
  { belowMs: Number.POSITIVE_INFINITY, unitMs: 365 * DAY, unit: 'years', roundMs: HOUR / 2 },
];

function stepOf(durationMs: number): Step {
  return steps.find((step) => durationMs < step.belowMs) ?? (steps[0] as Step);
}

/** A duration for people: `About a minute`, `3 hours`, `2 weeks`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < MINUTE) return 'Less than a minute';
  const step = stepOf(durationMs);
  const count = Math.floor((durationMs + step.roundMs) / step.unitMs);
  if (count === 1 && step.unit === 'minutes') return 'About a minute';
  if (count === 1 && step.unit === 'hours') return 'About an hour';
  return `${count} ${step.unit}`;
}

/** How long from now the text of `formatDuration` stays as it is, in milliseconds; at least one. */
export function unchangedForMs(durationMs: number): number {
  if (durationMs < MINUTE) return MINUTE - durationMs;
  const step = stepOf(durationMs);
  const intoUnit = (durationMs + step.roundMs) % step.unitMs;
  return Math.max(1, Math.min(step.unitMs - intoUnit, step.belowMs - durationMs));
}

const unitMs: Readonly<Record<string, number>> = {
  second: SECOND,
  minute: MINUTE,
  hour: HOUR,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
  year: 365 * DAY,
};

/** The duration that a text of an engine stands for, at its lower end: `About an hour` is one hour. */
function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d+)|About an?|Less than a) (second|minute|hour|day|week|month|year)s?$/.exec(text);
  const unit = unitMs[match?.[2] ?? ''];
  if (match === null || unit === undefined) return undefined;
  if (text.startsWith('Less')) return 0;
  return Number(match[1] ?? 1) * unit;
}

/** A container's status as an engine words it, taken apart so that its age can go on. */
export type StatusText = {
  /** `Up `, `Exited (0) `. */
  readonly before: string;
  /** ` ago`, ` (healthy)`. */
  readonly after: string;
  /** The moment that the age counts from, in milliseconds since 1970. */
  readonly sinceMs: number;
};

/**
 * Reads `Up 3 minutes (healthy)` or `Exited (0) 2 hours ago`, said at `nowMs`; undefined for one without an
 * age (`Created`). An engine's text is coarse: `knownMs`, an earlier or exact answer for the same status, is
 * kept as long as it agrees.
 */
export function parseStatus(status: string, nowMs: number, knownMs?: number): StatusText | undefined {
  const match = /^(Up |(?:Exited|Restarting) \(-?\d+\) )(.+?)( ago| \(.+\))?$/.exec(status);
  const durationMs = parseDuration(match?.[2] ?? '');
  if (match === null || durationMs === undefined) return undefined;
  const agrees =
    knownMs !== undefined &&
    (durationMs < MINUTE
      ? nowMs - knownMs < MINUTE
      : formatDuration(nowMs - knownMs) === formatDuration(durationMs));
  return {
    before: match[1] ?? '',
    after: match[3] ?? '',
    sinceMs: agrees ? knownMs : nowMs - durationMs,
  };
}

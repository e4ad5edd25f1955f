export type Series = readonly number[];

/** The middle value; of two middle ones the mean. Not a number where there is none. */
export function median(series: Series): number {
  const sorted = series.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The value below which a part of them lies, 0 to 1. Not a number where there is none. */
export function quantile(series: Series, part: number): number {
  const sorted = series.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** A time as a person compares it: `43 ms`, `1.92 s`. */
export function formatTime(ms: number): string {
  if (Number.isNaN(ms)) return '–';
  return ms < 1_000
    ? `${ms < 1 ? ms.toFixed(2) : ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
    : `${(ms / 1_000).toFixed(2)} s`;
}

/** Nanoseconds of Go's units of time. */
const units: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Reads a span of time as Go writes it (`1m30s`, `500ms`, `0`) in nanoseconds; undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  const sum = parts.reduce((total, [, number, unit = '']) => total + Number(number) * (units[unit] ?? 0), 0);
  return Number.isSafeInteger(Math.round(sum)) ? Math.round(sum) : undefined;
}

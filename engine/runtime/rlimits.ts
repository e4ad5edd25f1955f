import type { Ulimit } from '../api/wire/host-config.ts';

/** The limits of setrlimit(2), as docker names them. */
export const rlimitNames = [
  ...[
    'core',
    'cpu',
    'data',
    'fsize',
    'locks',
    'memlock',
    'msgqueue',
    'nice',
    'nofile',
    'nproc',
    'rss',
    'rtprio',
  ],
  ...['rttime', 'sigpending', 'stack'],
];

/** RLIM_INFINITY is 2⁶⁴-1, which a JSON number of JavaScript can't say: see `specText`. */
export const UNLIMITED = '%unlimited%';

/** `process.rlimits` of an OCI spec. */
export function rlimits(ulimits: readonly Ulimit[] | null | undefined): readonly object[] {
  const value = (limit: number) => (limit === -1 ? UNLIMITED : limit);
  return (ulimits ?? []).map(({ Name, Soft, Hard }) => ({
    type: `RLIMIT_${Name.toUpperCase()}`,
    soft: value(Soft),
    hard: value(Hard),
  }));
}

/** A spec as the text of config.json. */
export function specText(spec: object): string {
  return JSON.stringify(spec).replaceAll(`"${UNLIMITED}"`, String(2n ** 64n - 1n));
}

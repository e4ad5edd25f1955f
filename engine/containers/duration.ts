import type { Life } from './record.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The STATUS column, in docker's words: `Up 3 minutes`, `Exited (0) 2 hours ago`. `now` in milliseconds. */
export function describeLife(life: Life, now: number): string {
  switch (life.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${describeSeconds((now - Date.parse(life.startedAt)) / 1000)}${life.paused ? ' (Paused)' : ''}`;
    case 'exited':
      return `Exited (${life.exitCode}) ${describeSeconds((now - Date.parse(life.finishedAt)) / 1000)} ago`;
    case 'restarting':
      return `Restarting (${life.exitCode}) ${describeSeconds((now - Date.parse(life.finishedAt)) / 1000)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
  }
}

/** A length of time as docker says it (go-units, HumanDuration): rounded down to one unit. */
function describeSeconds(seconds: number): string {
  const hours = Math.round(seconds / HOUR);
  if (seconds < 1) return 'Less than a second';
  if (seconds < 2) return '1 second';
  if (seconds < MINUTE) return `${Math.floor(seconds)} seconds`;
  if (seconds < 2 * MINUTE) return 'About a minute';
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} minutes`;
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(seconds / DAY)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

import { constants } from 'node:os';
import { BerthError } from '../api/errors.ts';

const FIRST_REALTIME = 34;
const LAST_SIGNAL = 64;

/** The number of a signal as people write it: `SIGTERM`, `term`, `15`, `RTMIN+3`. Throws `invalid`. */
export function parseSignal(text: string): number {
  const name = text.trim().toUpperCase().replace(/^SIG/, '');
  const number = /^\d+$/.test(name)
    ? Number(name)
    : (realtime(name) ?? constants.signals[`SIG${name}` as NodeJS.Signals]);
  if (number === undefined || number < 1 || number > LAST_SIGNAL) {
    throw new BerthError('invalid', `Invalid signal: ${text}`, {
      hint: 'give a name as in SIGTERM, or a number from 1 to 64',
    });
  }
  return number;
}

function realtime(name: string): number | undefined {
  const match = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (match === null) return undefined;
  const offset = Number(match[3] ?? 0) * (match[2] === '-' ? -1 : 1);
  return (match[1] === 'MIN' ? FIRST_REALTIME : LAST_SIGNAL) + offset;
}

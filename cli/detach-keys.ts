import { BerthError } from '../engine/api/errors.ts';
import type { Flag } from './command.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

export const detachKeysFlag: Flag<string> = {
  type: 'string',
  summary: 'Keys that detach from a container with a terminal',
  placeholder: 'KEYS',
  default: DEFAULT_DETACH_KEYS,
};

/** Reads keys as docker writes them: letters, and `ctrl-` with a letter or one of `@[\]^_`. Throws `usage`. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(','), (key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key.toLowerCase())?.[1];
    // The terminal's rule: Ctrl clears all but the low five bits.
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    throw new BerthError('usage', `invalid detach keys '${text}': '${key}' is not a key`, {
      hint: `--detach-keys ${DEFAULT_DETACH_KEYS}`,
    });
  });
}

/**
 * Looks for the keys in what is typed. The keys that may begin the sequence are held back until it is clear
 * whether they do; `pass` is what goes on to the container.
 */
export function watchForKeys(
  keys: Uint8Array,
): (typed: Uint8Array) => { readonly pass: Uint8Array; readonly detached: boolean } {
  let matched = 0;
  return (typed) => {
    const pass: number[] = [];
    for (const byte of typed) {
      if (byte !== keys[matched]) {
        pass.push(...keys.subarray(0, matched));
        matched = 0;
      }
      if (byte === keys[matched]) {
        matched += 1;
        if (matched === keys.length) return { pass: Uint8Array.from(pass), detached: true };
      } else pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), detached: false };
  };
}

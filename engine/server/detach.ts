import { BerthError } from '../api/errors.ts';

const DEFAULT_KEYS = [0x10, 0x11];

/**
 * The bytes of a sequence such as `ctrl-p,ctrl-q`, the default. Throws `invalid`.
 * Rule: https://docs.docker.com/reference/cli/docker/container/attach/#detach-keys
 */
export function parseDetachKeys(text: string | undefined): readonly number[] {
  if (text === undefined || text === '') return DEFAULT_KEYS;
  return text.split(',').map((key) => {
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)?.[1];
    if (control === undefined)
      throw new BerthError('invalid', `invalid detach keys '${text}': '${key}' is not a key`, {
        hint: 'write keys and ctrl-keys with commas between, as in ctrl-p,ctrl-q',
      });
    return control.toUpperCase().charCodeAt(0) & 0x1f;
  });
}

/**
 * Watches a client's bytes for a key sequence. Gives what is to be passed on: bytes that may be the sequence's
 * beginning are held until it is clear. `detached` once it was whole; nothing after it counts.
 */
export function watchDetachKeys(
  keys: readonly number[],
): (chunk: Buffer) => { readonly pass: Buffer; readonly detached: boolean } {
  let held = 0;
  return (chunk) => {
    if (keys.length === 0) return { pass: chunk, detached: false };
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte !== keys[held]) {
        pass.push(...keys.slice(0, held));
        held = 0;
      }
      if (byte !== keys[held]) pass.push(byte);
      else held += 1;
      if (held === keys.length) return { pass: Buffer.from(pass), detached: true };
    }
    return { pass: Buffer.from(pass), detached: false };
  };
}

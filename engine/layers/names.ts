import { BerthError } from '../api/errors.ts';
import { shown } from '../tar/reader.ts';

/** OCI image spec, layer.md, "Whiteouts". */
export const WHITEOUT = '.wh.';
export const OPAQUE = '.wh..wh..opq';
/** AUFS's own bookkeeping; nothing of it belongs into the tree. */
export const AUFS = '.wh..wh.';
/** Overlay's bookkeeping: an archive that sets it could make one directory show another's content. */
export const OVERLAY_XATTR = /^(?:trusted|user)\.overlay\./;
export const OVERLAY_OPAQUE = 'trusted.overlay.opaque';
/** The largest owner that is one: (uid_t) -1 means none. */
export const MAX_ID = 2 ** 32 - 2;

/** The components of a name. Absolute ones are taken from the root. Throws `invalid` where it leaves the root. */
export function normalize(name: string): string[] {
  if (name.includes('\0')) throw refused(name, 'it holds a zero byte');
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw refused(name, 'it leaves the root');
  }
  return parts;
}

/** The error for an entry that can't be unpacked because of what it says. */
export function refused(name: string, why: string): BerthError {
  return new BerthError('invalid', `the layer holds '${shown(name)}', which can't be unpacked: ${why}`);
}

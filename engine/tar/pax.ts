import { type Moment, malformed, size, type TarHeader } from './header.ts';

/** The records of a pax extended header; names and values are binary strings. */
export type PaxRecords = ReadonlyMap<string, string>;

/**
 * Reads `length key=value\n` records (POSIX.1-2017, pax, "pax Extended Header"), in their order: a key that comes
 * again counts for more than the one before, but in GNU's sparse format 0.0. Throws `invalid`.
 */
export function parsePax(body: Buffer): readonly (readonly [string, string])[] {
  const records: [string, string][] = [];
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 ? '' : body.toString('latin1', at, space);
    const length = /^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    if (length === 0 || end > body.length || end <= space || body[end - 1] !== 0x0a) {
      throw malformed('a pax record has a wrong length');
    }
    const equals = body.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw malformed('a pax record has no value');
    records.push([body.toString('latin1', space + 1, equals), body.toString('latin1', equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** A header with what pax records and GNU's long names say in its place. */
export function applyPax(
  header: TarHeader,
  records: PaxRecords,
  long: { readonly name: string | undefined; readonly target: string | undefined },
): TarHeader {
  const decimal = (key: string, otherwise: number) => {
    const value = records.get(key);
    if (value === undefined || value === '') return otherwise;
    if (!/^-?\d{1,16}$/.test(value)) throw malformed(`pax ${key} is '${value.slice(0, 40)}'`);
    return Number(value);
  };
  const mtime = records.get('mtime');
  return {
    ...header,
    name: records.get('path') ?? long.name ?? header.name,
    target: records.get('linkpath') ?? long.target ?? header.target,
    uid: decimal('uid', header.uid),
    gid: decimal('gid', header.gid),
    sizeBytes: size(decimal('size', header.sizeBytes)),
    mtime: mtime === undefined || mtime === '' ? header.mtime : parseMoment(mtime),
  };
}

/** Reads a time in seconds with a fraction, `-1.5` too. */
function parseMoment(value: string): Moment {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(value);
  if (match === null) throw malformed(`pax mtime is '${value.slice(0, 40)}'`);
  const [, sign, whole = '0', fraction = ''] = match;
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign !== '-') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

const XATTR = 'SCHILY.xattr.';

/** The extended attributes among pax records, as star and GNU tar write them. */
export function paxXattrs(records: PaxRecords): readonly { readonly name: string; readonly value: Buffer }[] {
  return [...records]
    .filter(([key]) => key.startsWith(XATTR))
    .map(([key, value]) => ({ name: key.slice(XATTR.length), value: Buffer.from(value, 'latin1') }));
}

import { BerthError } from '../api/errors.ts';

/**
 * One 512-byte header of a tar archive: POSIX ustar and pax (POSIX.1-2017, pax, "ustar Interchange Format"), GNU's
 * (tar manual, "Basic Tar Format"). Names are kept as binary strings, a character for each byte, since nothing says
 * that they are UTF-8: `Buffer.from(name, 'latin1')` gives the bytes.
 */

export const BLOCK = 512;

export type TarHeader = {
  /** Type flag: '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5' directory, '6' fifo, … */
  readonly flag: string;
  readonly name: string;
  readonly target: string;
  /** Permission bits, setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtime: Moment;
  readonly major: number;
  readonly minor: number;
};

/** A moment since 1970, before it too; `nanoseconds` count forward from `seconds`. */
export type Moment = { readonly seconds: number; readonly nanoseconds: number };

const NUL = 0;

/** Reads a header; undefined for a block of zeros, which ends the archive. Throws `invalid` where it is none. */
export function parseHeader(block: Buffer): TarHeader | undefined {
  const sum = checksum(block);
  if (sum === undefined) return undefined;
  const stored = Number.parseInt(text(block, 148, 8).trim(), 8);
  if (stored !== sum.unsigned && stored !== sum.signed) {
    throw new BerthError('invalid', 'this is no tar archive: the checksum of a header is wrong');
  }
  const magic = block.toString('latin1', 257, 265);
  // Only ustar proper has a prefix: GNU's format ('ustar  ') keeps times there.
  const prefix = magic.startsWith('ustar\0') ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const flag = block[156] === NUL ? '0' : String.fromCharCode(block[156] ?? NUL);
  const devices = flag === '3' || flag === '4';
  return {
    flag,
    name: prefix === '' ? name : `${prefix}/${name}`,
    target: text(block, 157, 100),
    mode: numberIn(block, 100, 8) & 0o7777,
    uid: numberIn(block, 108, 8),
    gid: numberIn(block, 116, 8),
    sizeBytes: size(numberIn(block, 124, 12)),
    mtime: { seconds: numberIn(block, 136, 12), nanoseconds: 0 },
    major: devices ? numberIn(block, 329, 8) : 0,
    minor: devices ? numberIn(block, 337, 8) : 0,
  };
}

/** The sum of a header's bytes, its own field counted as spaces; undefined where all are zero. */
function checksum(block: Buffer): { readonly unsigned: number; readonly signed: number } | undefined {
  let unsigned = 0;
  let high = 0;
  let any = 0;
  for (let index = 0; index < BLOCK; index += 1) {
    const byte = block[index] ?? 0;
    any |= byte;
    if (index >= 148 && index < 156) continue;
    unsigned += byte;
    if (byte > 127) high += 1;
  }
  unsigned += 8 * 0x20;
  // Some old tars summed signed bytes.
  return any === 0 ? undefined : { unsigned, signed: unsigned - 256 * high };
}

/** Text up to the first zero byte. */
function text(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(NUL, start);
  return block.toString('latin1', start, end < 0 || end > start + length ? start + length : end);
}

/** A number in octal, or in base 256 where the highest bit says so (GNU tar; star for negative ones). */
export function numberIn(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) === 0) return octal(block, start, length);
  const negative = (first & 0x40) !== 0;
  let value = BigInt(first & 0x7f);
  for (let index = start + 1; index < start + length; index += 1)
    value = (value << 8n) | BigInt(block[index] ?? 0);
  if (negative) value -= 1n << BigInt(length * 8 - 1);
  return safe(Number(value));
}

function octal(block: Buffer, start: number, length: number): number {
  const digits = text(block, start, length).trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw malformed(`'${digits.slice(0, 20)}' is no octal number`);
  return safe(Number.parseInt(digits, 8));
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw malformed('a number is too large');
  return value;
}

/** Checks that a size is none below zero. */
export function size(value: number): number {
  if (value < 0) throw malformed('a size is negative');
  return value;
}

/** The error for an archive that breaks the format. */
export function malformed(why: string): BerthError {
  return new BerthError('invalid', `this is a malformed tar archive: ${why}`);
}

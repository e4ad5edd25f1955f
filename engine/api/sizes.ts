import { BerthError } from './errors.ts';

const units: Record<string, number> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  p: 2 ** 50,
};

/** Reads a size as docker's flags take it (`512m`, `1.5g`, `4096`, `64MiB`), in bytes. Throws `invalid`. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgtp]?)(?:i?b)?$/i.exec(text.trim());
  const unit = units[match?.[2]?.toLowerCase() ?? ''];
  const bytes = Math.floor(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) {
    throw new BerthError('invalid', `invalid size: '${text}'`, {
      hint: 'write a number with b, k, m or g, as in 512m',
    });
  }
  return bytes;
}

/** A size of memory for people, in powers of 1024 with four digits at most, as docker prints it: `23.54GiB`. */
export function formatMemory(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let index = 0;
  while (value >= 1024 && index < names.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${Number(value.toPrecision(4))}${names[index]}`;
}

/** A size for people, in powers of 1000 with so many digits at most, as docker prints it: `77.9MB`. */
export function formatSize(bytes: number, digits = 3): string {
  const names = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let index = 0;
  while (value >= 1000 && index < names.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${Number(value.toPrecision(digits))}${names[index]}`;
}

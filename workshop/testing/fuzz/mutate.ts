import type { Random } from './random.ts';

const BLOCK = 512;
/** Where the numbers of a header stand (POSIX ustar): their place and width. */
const fields = [
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
  [329, 8],
  [337, 8],
  [386, 12],
  [398, 12],
  [483, 12],
] as const;
const interesting = [
  '00000000000\0',
  '77777777777\0',
  '00000001000\0',
  '           \0',
  '-0000000001\0',
  '8\0\0\0\0\0\0\0\0\0\0\0',
  '00000000777 ',
] as const;

/** Spoils an archive in a few places. As a rule headers have right sums again afterwards: else nothing is read further. */
export function mutated(archive: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let bytes = Buffer.from(archive);
  for (let rest = 1 + random.below(4); rest > 0 && bytes.length > 0; rest -= 1)
    bytes = mutatedOnce(bytes, random, others);
  if (!random.once(8)) mendSums(bytes);
  return bytes;
}

function mutatedOnce(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length);
  const block = at - (at % BLOCK);
  const other = random.pick(others);
  const cut = random.below(other.length + 1);
  const start = cut - (cut % BLOCK);
  switch (random.below(9)) {
    case 0: {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      return copy;
    }
    case 1:
    case 2: {
      // A number of a header, where this block is one.
      const copy = Buffer.from(bytes);
      const [place, width] = random.pick(fields);
      const text = random.once(3) ? random.bytes(12) : Buffer.from(random.pick(interesting), 'latin1');
      text.copy(copy, block + place, 0, width);
      return copy;
    }
    case 3:
      return Buffer.concat([bytes.subarray(0, block), bytes.subarray(Math.min(bytes.length, block + BLOCK))]);
    case 4:
      return Buffer.concat([bytes.subarray(0, block + BLOCK), bytes.subarray(block)]);
    case 5:
      return Buffer.concat([
        bytes.subarray(0, block),
        other.subarray(start, start + BLOCK * (1 + random.below(6))),
        bytes.subarray(block),
      ]);
    case 6:
      return Buffer.concat([bytes.subarray(0, block), other]);
    case 7:
      return Buffer.from(bytes.subarray(0, at));
    default: {
      const copy = Buffer.from(bytes);
      random.bytes(1 + random.below(16)).copy(copy, at);
      return copy;
    }
  }
}

function mendSums(bytes: Buffer): void {
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    const header = bytes.subarray(at, at + BLOCK);
    header.fill(0x20, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
}

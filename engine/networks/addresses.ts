import { isIP } from 'node:net';
import { BerthError } from '../api/errors.ts';

/** An IPv4 or IPv6 network: its first address as a number, and the length of its prefix. */
export type Subnet = { readonly family: 4 | 6; readonly base: bigint; readonly prefix: number };

const bitsOf = { 4: 32, 6: 128 } as const;

/** Reads `172.30.0.0/16` or `fd00:1::/64`. Throws `invalid`. */
export function parseSubnet(text: string): Subnet {
  const match = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text);
  const address = match?.[1] ?? '';
  const family = isIP(address) as 0 | 4 | 6;
  const prefix = Number(match?.[2]);
  if (family === 0 || !(prefix >= 0 && prefix <= bitsOf[family])) {
    throw new BerthError('invalid', `invalid subnet '${text}'`, {
      hint: 'write it as 172.30.0.0/16 or fd00:30::/64',
    });
  }
  return { family, base: (parseAddress(address) ?? 0n) & maskOf(family, prefix), prefix };
}

/** Reads an address as a number; undefined where it is none. */
export function parseAddress(text: string): bigint | undefined {
  switch (isIP(text)) {
    case 4:
      return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
    case 6:
      return wordsOf(text).reduce((sum, word) => sum * 65536n + BigInt(word), 0n);
    default:
      return undefined;
  }
}

/** The eight words of an IPv6 address; one that ends as an IPv4 address too. */
function wordsOf(text: string): readonly number[] {
  const [address = ''] = text.split('%');
  const plain = address.replace(/[\d.]+$/, (tail) => {
    if (!tail.includes('.')) return tail;
    const [a = 0, b = 0, c = 0, d = 0] = tail.split('.').map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const read = (part: string | undefined) =>
    part ? part.split(':').map((word) => Number.parseInt(word, 16)) : [];
  const [before, after] = [read(head), read(tail)];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

export function formatAddress(family: 4 | 6, address: bigint): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.');
  const words = Array.from({ length: 8 }, (_none, index) => (address >> BigInt(112 - index * 16)) & 65535n);
  return shortened(words.map((word) => word.toString(16)));
}

/** The longest run of zeros as `::` (RFC 5952, section 4.2). */
function shortened(words: readonly string[]): string {
  let [start, length] = [0, 0];
  for (let at = 0; at < words.length; at += 1) {
    let end = at;
    while (words[end] === '0') end += 1;
    if (end - at > length) [start, length] = [at, end - at];
  }
  if (length < 2) return words.join(':');
  return `${words.slice(0, start).join(':')}::${words.slice(start + length).join(':')}`;
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.family, subnet.base)}/${subnet.prefix}`;
}

/** How many addresses the network has, the first (network) and last (broadcast) ones included. */
export function sizeOf(subnet: Subnet): bigint {
  return 1n << BigInt(bitsOf[subnet.family] - subnet.prefix);
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  const mask = maskOf(a.family, Math.min(a.prefix, b.prefix));
  return a.family === b.family && (a.base & mask) === (b.base & mask);
}

/** Whether an address, as text, lies in the network. */
export function contains(subnet: Subnet, address: string): boolean {
  const number = parseAddress(address);
  return (
    number !== undefined &&
    isIP(address) === subnet.family &&
    (number & maskOf(subnet.family, subnet.prefix)) === subnet.base
  );
}

/** An address of the network as it is written everywhere: `FD00::0:1` is `fd00::1`. */
export function plainAddress(address: string): string {
  const number = parseAddress(address);
  return number === undefined ? address : formatAddress(isIP(address) === 6 ? 6 : 4, number);
}

function maskOf(family: 4 | 6, prefix: number): bigint {
  const bits = BigInt(bitsOf[family]);
  return ((1n << bits) - 1n) ^ ((1n << (bits - BigInt(prefix))) - 1n);
}

/** Netlink's messages, netlink(7): a header, then a family's own header and attributes. */

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const flags = {
  request: 0x1,
  ack: 0x4,
  root: 0x100,
  excl: 0x200,
  dump: 0x300,
  create: 0x400,
  append: 0x800,
};
export const HEADER_BYTES = 16;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** struct nlmsghdr and what follows it. */
export function message(options: {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Buffer;
}): Buffer {
  const { type, sequence, body } = options;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(HEADER_BYTES + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(options.flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

/** struct nlattr: length, type, value, and padding to four bytes. */
export function attribute(type: number, value: Buffer): Buffer {
  const length = 4 + value.length;
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 4);
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}

/** An attribute that holds others. */
export const nested = (type: number, ...children: readonly Buffer[]) =>
  attribute(type | NLA_F_NESTED, Buffer.concat(children));

/** The attributes that stand in a row, by their types. */
export function readAttributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) break;
    found.set(bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += Math.ceil(length / 4) * 4;
  }
  return found;
}

/** The messages of one datagram: each one's type, and its bytes after the header. */
export function* readMessages(bytes: Buffer): Generator<{ readonly type: number; readonly body: Buffer }> {
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER_BYTES) return;
    yield { type: bytes.readUInt16LE(at + 4), body: bytes.subarray(at + HEADER_BYTES, at + length) };
    at += Math.ceil(length / 4) * 4;
  }
}

export const text = (value: string) => Buffer.from(`${value}\0`);

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The bytes of an IPv4 or IPv6 address, 4 or 16 of them. */
export function addressBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const words = (part: string | undefined) => (part ? part.split(':') : []);
  const [before, after] = [words(head), words(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const bytes = Buffer.alloc(16);
  [...before, ...(tail === undefined ? [] : zeros), ...after].forEach((word, index) => {
    bytes.writeUInt16BE(Number.parseInt(word, 16), index * 2);
  });
  return bytes;
}

export const macBytes = (mac: string) => Buffer.from(mac.replaceAll(/[:-]/g, ''), 'hex');

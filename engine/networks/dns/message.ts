import { formatAddress, parseAddress } from '../addresses.ts';

/** Messages of DNS (RFC 1035, section 4), as far as a server for a few names needs them. */

export const types = { A: 1, PTR: 12, AAAA: 28, OPT: 41 } as const;
export const codes = { ok: 0, malformed: 1, failed: 2, noName: 3, notImplemented: 4, refused: 5 } as const;
const HEADER_BYTES = 12;
const CLASS_IN = 1;
const MAX_NAME_BYTES = 255;
/** What a UDP answer may have where the client says nothing of more (section 4.2.1). */
const UDP_BYTES = 512;
/** An answer's time to live, in seconds: a container may come back with another address. */
const TTL = 60;
const flag = { response: 0x8000, truncated: 0x0200, wantsRecursion: 0x0100, recursion: 0x0080 } as const;

export type Question = {
  readonly id: number;
  /** In lower case, without the dot at its end. */
  readonly name: string;
  readonly type: number;
  /** The question as it was asked: an answer repeats it, letter case and all. */
  readonly bytes: Buffer;
  readonly flags: number;
  /** How long an answer over UDP may be. */
  readonly maxBytes: number;
};

/** What a message asks; a code where it asks nothing that can be answered; undefined where it is to be left alone. */
export function readQuestion(message: Buffer): Question | { readonly code: number } | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & flag.response) !== 0) return undefined;
  if ((flags & 0x7800) !== 0) return { code: codes.notImplemented };
  if (message.readUInt16BE(4) !== 1) return { code: codes.malformed };
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    // A question is never compressed here: nothing stands before it that it could point at.
    if (length === undefined || length > 63 || at - HEADER_BYTES > MAX_NAME_BYTES)
      return { code: codes.malformed };
    at += 1;
    if (length === 0) break;
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  if (at + 4 > message.length) return { code: codes.malformed };
  return {
    id: message.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type: message.readUInt16BE(at + 2) === CLASS_IN ? message.readUInt16BE(at) : 0,
    bytes: message.subarray(HEADER_BYTES, at + 4),
    flags,
    maxBytes: askedSize(message, at + 4),
  };
}

/** The size in the OPT record, the only one that a plain query has after its question (RFC 6891, section 6.1.2). */
function askedSize(message: Buffer, at: number): number {
  const hasOpt =
    message.readUInt16BE(10) === 1 &&
    message.readUInt16BE(6) + message.readUInt16BE(8) === 0 &&
    at + 5 <= message.length &&
    message[at] === 0 &&
    message.readUInt16BE(at + 1) === types.OPT;
  return hasOpt ? Math.max(UDP_BYTES, message.readUInt16BE(at + 3)) : UDP_BYTES;
}

/** An answer of addresses, or of names for a PTR question. One that is longer than it may be says that it is, and no more. */
export function answer(question: Question, data: readonly string[], maxBytes: number): Buffer {
  const records = data.map((item) => {
    const value = question.type === types.PTR ? nameBytes(item) : addressOf(item);
    const head = Buffer.alloc(12);
    // The name is that of the question, which stands after the header.
    head.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
    head.writeUInt16BE(question.type, 2);
    head.writeUInt16BE(CLASS_IN, 4);
    head.writeUInt32BE(TTL, 6);
    head.writeUInt16BE(value.length, 10);
    return Buffer.concat([head, value]);
  });
  const whole = Buffer.concat([header(question, codes.ok, records.length), question.bytes, ...records]);
  if (whole.length <= maxBytes) return whole;
  const short = Buffer.concat([header(question, codes.ok, 0), question.bytes]);
  short.writeUInt16BE(short.readUInt16BE(2) | flag.truncated, 2);
  return short;
}

/** An answer that is a code alone. */
export function refusal(question: Question, code: number): Buffer {
  return Buffer.concat([header(question, code, 0), question.bytes]);
}

/** The same for a message that could not be read. */
export function refusalOf(message: Buffer, code: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(message.readUInt16BE(0), 0);
  bytes.writeUInt16BE(flag.response | (message.readUInt16BE(2) & 0x7900) | flag.recursion | code, 2);
  return bytes;
}

function header({ id, flags }: Question, code: number, answers: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flag.response | (flags & flag.wantsRecursion) | flag.recursion | code, 2);
  bytes.writeUInt16BE(1, 4);
  bytes.writeUInt16BE(answers, 6);
  return bytes;
}

function nameBytes(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label.slice(0, 63), 'latin1'));
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
}

function addressOf(address: string): Buffer {
  const hex = (parseAddress(address) ?? 0n).toString(16);
  return Buffer.from(hex.padStart(address.includes(':') ? 32 : 8, '0'), 'hex');
}

/** The address that a name below in-addr.arpa or ip6.arpa asks for; undefined where it is none. */
export function reversedAddress(name: string): string | undefined {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name);
  if (v4 !== null) return v4.slice(1).reverse().join('.');
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  if (v6 === undefined) return undefined;
  return formatAddress(6, BigInt(`0x${v6.split('.').reverse().join('')}`));
}

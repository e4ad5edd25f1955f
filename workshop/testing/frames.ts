import { call, check } from '../../engine/host/libc.ts';
import { inNetworkNamespace } from '../../engine/host/network-namespace.ts';

const [AF_PACKET, SOCK_RAW, SOCK_NONBLOCK] = [17, 3, 0o4000];
const ETH_P_ALL_BE = 0x0300;
const MAX_FRAME = 2048;

/** The frames of one interface, packet(7): to write what no program would, and to see what arrives. */
export type Frames = Disposable & {
  readonly send: (frame: Buffer) => void;
  /** All that came or went since the last time. */
  readonly seen: () => readonly Buffer[];
};

/** Opens the interface of this name in the network namespace at `path`. */
export function openFrames(path: string, index: number): Frames {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16LE(ETH_P_ALL_BE, 2);
  address.writeInt32LE(index, 4);
  const socket = inNetworkNamespace(path, () => {
    const fd = call('int socket(int, int, int)')(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, ETH_P_ALL_BE);
    check(fd, 'socket', path);
    check(call('int bind(int, const uint8_t *, unsigned int)')(fd, address, address.length), 'bind', path);
    return fd;
  });
  return {
    send(frame) {
      check(
        call('long send(int, const uint8_t *, size_t, int)')(socket, frame, frame.length, 0),
        'send',
        path,
      );
    },
    seen() {
      const frames: Buffer[] = [];
      for (;;) {
        const frame = Buffer.alloc(MAX_FRAME);
        // EAGAIN: that was all.
        const length = call('long recv(int, uint8_t *, size_t, int)')(socket, frame, frame.length, 0);
        if (length < 0) return frames;
        frames.push(frame.subarray(0, length));
      }
    },
    [Symbol.dispose]: () => void call('int close(int)')(socket),
  };
}

const types = { ip: 0x0800, arp: 0x0806, ip6: 0x86dd } as const;

/** An Ethernet frame. Hardware addresses are `02:42:…`. */
export function ethernet(
  { from, to, type }: { readonly from: string; readonly to: string; readonly type: keyof typeof types },
  content: Buffer,
): Buffer {
  return Buffer.concat([macOf(to), macOf(from), be16(types[type]), content]);
}

/** An ARP reply: `mac` has the address `ip` (RFC 826). */
export function arpReply(said: { readonly mac: string; readonly ip: Buffer; readonly to: Buffer }): Buffer {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, 2]);
  return Buffer.concat([head, macOf(said.mac), said.ip, Buffer.alloc(6), said.to]);
}

/** A packet of UDP over IPv4 or IPv6, by the length of its addresses. */
export function udp(from: Buffer, to: Buffer, payload: Buffer, port = 9): Buffer {
  const datagram = Buffer.concat([be16(port), be16(port), be16(8 + payload.length), be16(0), payload]);
  return from.length === 4 ? ip4(17, from, to, datagram) : ip6(17, { from, to, hops: 64 }, datagram);
}

/** An answer to an echo over IPv4 that nobody asked for (RFC 792): to the tracking of connections it is of none. */
export function echoReply(from: Buffer, to: Buffer, payload: Buffer): Buffer {
  const message = Buffer.concat([Buffer.alloc(8), payload]);
  message.writeUInt16BE(checksum(message), 2);
  return ip4(1, from, to, message);
}

/** The first message of an SCTP association over IPv4 (RFC 9260, 3.3.2), or the answer to it. */
export function sctpInit(
  from: { readonly ip: Buffer; readonly port: number },
  to: { readonly ip: Buffer; readonly port: number },
  { tag, answers = 0 }: { readonly tag: number; readonly answers?: number },
): Buffer {
  const chunk = Buffer.concat([
    Buffer.from([answers === 0 ? 1 : 2, 0, 0, 20]),
    be32(tag),
    be32(65_536),
    Buffer.from([0, 1, 0, 1]),
    be32(1),
  ]);
  const packet = Buffer.concat([be16(from.port), be16(to.port), be32(answers), be32(0), chunk]);
  packet.writeUInt32LE(crc32c(packet), 8);
  return ip4(132, from.ip, to.ip, packet);
}

/** Castagnoli's (RFC 9260, appendix A). */
function crc32c(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** An ICMPv6 message of neighbour discovery: `type` of RFC 4861, and what stands after type, code and checksum. */
export function discovery(from: Buffer, to: Buffer, { type, body }: { type: number; body: Buffer }): Buffer {
  const message = Buffer.concat([Buffer.from([type, 0, 0, 0]), body]);
  const pseudo = Buffer.concat([from, to, be32(message.length), be32(58), message]);
  message.writeUInt16BE(checksum(pseudo), 2);
  return ip6(58, { from, to, hops: 255 }, message);
}

function ip4(protocol: number, from: Buffer, to: Buffer, content: Buffer): Buffer {
  const length = be16(20 + content.length);
  const head = Buffer.concat([
    Buffer.from([0x45, 0]),
    length,
    Buffer.from([0, 0, 0, 0, 64, protocol, 0, 0]),
    from,
    to,
  ]);
  head.writeUInt16BE(checksum(head), 10);
  return Buffer.concat([head, content]);
}

function ip6(
  next: number,
  { from, to, hops }: { readonly from: Buffer; readonly to: Buffer; readonly hops: number },
  content: Buffer,
): Buffer {
  return Buffer.concat([
    be32(0x60000000),
    be16(content.length),
    Buffer.from([next, hops]),
    from,
    to,
    content,
  ]);
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export const macOf = (text: string) => Buffer.from(text.replaceAll(':', ''), 'hex');

function be16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function be32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

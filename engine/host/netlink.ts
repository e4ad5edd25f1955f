import { call, check, errnoError } from './libc.ts';

/**
 * Routing netlink, rtnetlink(7): links, addresses and routes, by system calls of some microseconds each instead of a
 * spawned ip(8). Requests are answered before the call that sends them returns, so nothing here waits.
 */

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const NLMSG_ERROR = 2;
const [NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE] = [0x1, 0x4, 0x200, 0x400];
const [RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE] = [16, 20, 24];
const HEADER_BYTES = 16;
const MAX_ANSWER_BYTES = 8192;
const AF_INET = 2;
const IFF_UP = 1;
const attributes = { address: 1, name: 3, master: 10, linkInfo: 18, namespaceFd: 28 } as const;
const [INFO_KIND, INFO_DATA, VETH_PEER] = [1, 2, 1];
const [IFA_ADDRESS, IFA_LOCAL] = [1, 2];
const [RTA_OIF, RTA_GATEWAY] = [4, 5];
const [RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST] = [254, 3, 0, 1];

/** One request: what it asks, for the error, and its bytes without the header. */
export type RouteRequest = {
  readonly what: string;
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
};

/** A socket in the network namespace that the thread was in when it was opened, whichever it is in later. */
export type RouteSocket = Disposable & {
  /** Sends requests in order. Throws at the first that the kernel refuses, with its errno as `code`. */
  send(requests: readonly RouteRequest[]): void;
};

export function openRouteSocket(): RouteSocket {
  const socket = call('int socket(int, int, int)')(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
  check(socket, 'socket', 'netlink');
  let sequence = 0;
  const answer = Buffer.alloc(MAX_ANSWER_BYTES);
  return {
    send(requests) {
      for (const { what, type, flags, body } of requests) {
        sequence += 1;
        const header = Buffer.alloc(HEADER_BYTES);
        header.writeUInt32LE(HEADER_BYTES + body.length, 0);
        header.writeUInt16LE(type, 4);
        header.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK | flags, 6);
        header.writeUInt32LE(sequence, 8);
        const message = Buffer.concat([header, body]);
        check(
          call('long send(int, const uint8_t *, size_t, int)')(socket, message, message.length, 0),
          what,
          'netlink',
        );
        const length = call('long recv(int, uint8_t *, size_t, int)')(socket, answer, answer.length, 0);
        check(length, what, 'netlink');
        // struct nlmsgerr: an errno below zero, and the request's header.
        const errno = answer.readUInt16LE(4) === NLMSG_ERROR ? answer.readInt32LE(HEADER_BYTES) : 0;
        if (errno !== 0) throw errnoError(-errno, what, 'netlink');
      }
    },
    [Symbol.dispose]() {
      call('int close(int)')(socket);
    },
  };
}

/** Brings up the link with this index. */
export function linkUp(index: number): RouteRequest {
  return { what: 'link up', type: RTM_NEWLINK, flags: 0, body: linkHeader({ index, up: true }) };
}

/**
 * Makes a pair of virtual Ethernet links: one here, up and plugged into a bridge, and its peer, to be brought up in
 * another network namespace, which a descriptor names, with an index, a name and a hardware address of its own.
 */
export function addVethPair(options: {
  readonly name: string;
  readonly bridgeIndex: number;
  readonly peer: {
    readonly name: string;
    readonly index: number;
    readonly mac: string;
    readonly namespaceFd: number;
  };
}): RouteRequest {
  const { peer } = options;
  const peerLink = Buffer.concat([
    // Not up yet: the kernel makes the peer first, and it has nothing to be connected to (ENOTCONN).
    linkHeader({ index: peer.index, up: false }),
    attribute(attributes.name, text(peer.name)),
    attribute(attributes.address, Buffer.from(peer.mac.replaceAll(':', ''), 'hex')),
    attribute(attributes.namespaceFd, number(peer.namespaceFd)),
  ]);
  const info = Buffer.concat([
    attribute(INFO_KIND, text('veth')),
    attribute(INFO_DATA, attribute(VETH_PEER, peerLink)),
  ]);
  const body = Buffer.concat([
    linkHeader({ index: 0, up: true }),
    attribute(attributes.name, text(options.name)),
    attribute(attributes.master, number(options.bridgeIndex)),
    attribute(attributes.linkInfo, info),
  ]);
  return { what: 'veth add', type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, body };
}

/** Gives a link an IPv4 address. */
export function addAddress(options: {
  readonly index: number;
  readonly address: string;
  readonly prefix: number;
}): RouteRequest {
  const header = Buffer.from([AF_INET, options.prefix, 0, RT_SCOPE_UNIVERSE, 0, 0, 0, 0]);
  header.writeUInt32LE(options.index, 4);
  const address = ipv4(options.address);
  const body = Buffer.concat([header, attribute(IFA_LOCAL, address), attribute(IFA_ADDRESS, address)]);
  return { what: 'address add', type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, body };
}

/** Makes a gateway the way to everywhere. */
export function addDefaultRoute(options: { readonly index: number; readonly gateway: string }): RouteRequest {
  const header = Buffer.alloc(12);
  header.set([AF_INET, 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST]);
  const body = Buffer.concat([
    header,
    attribute(RTA_GATEWAY, ipv4(options.gateway)),
    attribute(RTA_OIF, number(options.index)),
  ]);
  return { what: 'route add', type: RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL, body };
}

/** struct ifinfomsg: `index` 0 lets the kernel choose. */
function linkHeader(options: { readonly index: number; readonly up: boolean }): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(options.index, 4);
  if (options.up) {
    header.writeUInt32LE(IFF_UP, 8);
    header.writeUInt32LE(IFF_UP, 12);
  }
  return header;
}

/** struct rtattr: length, type, value, and padding to four bytes. */
function attribute(type: number, value: Buffer): Buffer {
  const length = 4 + value.length;
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 4);
  bytes.writeUInt16LE(length, 0);
  bytes.writeUInt16LE(type, 2);
  value.copy(bytes, 4);
  return bytes;
}

const text = (value: string) => Buffer.from(`${value}\0`);

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const ipv4 = (address: string) => Buffer.from(address.split('.').map(Number));

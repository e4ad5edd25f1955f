import { call, check, errnoError } from './libc.ts';
import {
  addressBytes,
  attribute,
  flags as bits,
  HEADER_BYTES,
  macBytes,
  message,
  NLMSG_ERROR,
  nested,
  number,
  text,
} from './netlink-message.ts';

/**
 * Routing netlink, rtnetlink(7): links, addresses and routes, by system calls of some microseconds each instead of a
 * spawned ip(8). Requests are answered before the call that sends them returns, so nothing here waits.
 */

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const [RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK] = [16, 17, 18, 19];
const [RTM_NEWADDR, RTM_NEWROUTE, RTM_DELROUTE] = [20, 24, 25];
const MAX_ANSWER_BYTES = 65536;
const [AF_UNSPEC, AF_BRIDGE, AF_INET, AF_INET6] = [0, 7, 2, 10];
const IFF_UP = 1;
const attributes = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  portInfo: 12,
  linkInfo: 18,
  alias: 20,
  namespaceFd: 28,
} as const;
const [INFO_KIND, INFO_DATA, VETH_PEER, MACVLAN_MODE] = [1, 2, 1, 1];
const [IFLA_BRPORT_MODE, IFLA_BRPORT_ISOLATED] = [4, 33];
const [IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS] = [1, 2, 8];
/** Not checked for duplicates (IPv6): an address of ours is usable at once. */
const IFA_F_NODAD = 2;
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
  /** The index of the link with this name; undefined where there is none. */
  indexOf(name: string): number | undefined;
};

/** An open netlink socket of a protocol of netlink(7). */
export type NetlinkSocket = Disposable & {
  /** Sends one datagram and gives what comes back next. */
  exchange(datagram: Buffer, what: string): Buffer;
  /** What comes next on its own. */
  receive(what: string): Buffer;
};

export function openNetlink(protocol: number): NetlinkSocket {
  const socket = call('int socket(int, int, int)')(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
  check(socket, 'socket', 'netlink');
  const answer = Buffer.alloc(MAX_ANSWER_BYTES);
  const receive = (what: string) => {
    const length = call('long recv(int, uint8_t *, size_t, int)')(socket, answer, answer.length, 0);
    check(length, what, 'netlink');
    return answer.subarray(0, length);
  };
  return {
    receive,
    exchange(datagram, what) {
      const send = call('long send(int, const uint8_t *, size_t, int)');
      check(send(socket, datagram, datagram.length, 0), what, 'netlink');
      return receive(what);
    },
    [Symbol.dispose]() {
      call('int close(int)')(socket);
    },
  };
}

export function openRouteSocket(): RouteSocket {
  const socket = openNetlink(NETLINK_ROUTE);
  let sequence = 0;
  const ask = ({ what, type, flags, body }: RouteRequest) => {
    sequence += 1;
    const bytes = socket.exchange(message({ type, flags: bits.request | flags, sequence, body }), what);
    // struct nlmsgerr: an errno below zero, and the request's header.
    const errno = bytes.readUInt16LE(4) === NLMSG_ERROR ? bytes.readInt32LE(HEADER_BYTES) : 0;
    if (errno !== 0) throw errnoError(-errno, what, 'netlink');
    return bytes;
  };
  return {
    send(requests) {
      for (const request of requests) ask({ ...request, flags: request.flags | bits.ack });
    },
    indexOf(name) {
      const body = Buffer.concat([linkHeader({ index: 0 }), attribute(attributes.name, text(name))]);
      try {
        return ask({ what: 'link get', type: RTM_GETLINK, flags: 0, body }).readInt32LE(HEADER_BYTES + 4);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENODEV') return undefined;
        throw error;
      }
    },
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

/** Brings up the link with this index. */
export function linkUp(index: number): RouteRequest {
  return { what: 'link up', type: RTM_NEWLINK, flags: 0, body: linkHeader({ index, up: true }) };
}

/** Brings up the link with this index, as it is to be: what is not named stays. */
export function changeLink(options: {
  readonly index: number;
  readonly name?: string | undefined;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  /** The bridge to plug it into. */
  readonly bridgeIndex?: number | undefined;
}): RouteRequest {
  const { index } = options;
  const body = Buffer.concat([linkHeader({ index, up: true }), ...partsOf(options)]);
  return { what: 'link change', type: RTM_NEWLINK, flags: 0, body };
}

/** Takes the link with this index away, and its peer where it has one. */
export function removeLink(index: number): RouteRequest {
  return { what: 'link delete', type: RTM_DELLINK, flags: 0, body: linkHeader({ index }) };
}

/** Makes a bridge, up, with a hardware address of its own: left alone it takes the lowest of its ports', and changes with them. */
export function addBridge(options: {
  readonly name: string;
  readonly mac: string;
  readonly mtu?: number | undefined;
}): RouteRequest {
  return newLink('bridge add', [
    linkHeader({ index: 0, up: true }),
    ...partsOf(options),
    attribute(attributes.linkInfo, attribute(INFO_KIND, text('bridge'))),
  ]);
}

/** Says something to people of the link with this index: `ip link` shows it. The kernel doesn't take it with a new link. */
export function setAlias(index: number, alias: string): RouteRequest {
  const body = Buffer.concat([linkHeader({ index }), attribute(attributes.alias, text(alias))]);
  return { what: 'link alias', type: RTM_SETLINK, flags: 0, body };
}

/** A link of a container: its end inside, which a descriptor of its namespace says where to make. */
export type InnerLink = {
  readonly name: string;
  /** Drawn by the kernel where it is not given. */
  readonly mac?: string;
  readonly mtu?: number | undefined;
  readonly namespaceFd: number;
};

/**
 * Makes a pair of virtual Ethernet links: one here, up and plugged into a bridge where one is named, and its peer, to
 * be brought up in another network namespace.
 */
export function addVethPair(options: {
  readonly name: string;
  readonly bridgeIndex?: number | undefined;
  readonly peer: InnerLink;
}): RouteRequest {
  const { name, bridgeIndex, peer } = options;
  const info = Buffer.concat([
    attribute(INFO_KIND, text('veth')),
    // Not up yet: the kernel makes the peer first, and it has nothing to be connected to (ENOTCONN).
    attribute(INFO_DATA, attribute(VETH_PEER, innerLink(peer))),
  ]);
  return newLink('veth add', [
    linkHeader({ index: 0, up: bridgeIndex !== undefined }),
    ...partsOf({ name, bridgeIndex, mtu: peer.mtu }),
    attribute(attributes.linkInfo, info),
  ]);
}

const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
export type MacvlanMode = keyof typeof macvlanModes;

/** Makes a link with a hardware address of its own on a link of this namespace, to be brought up in another. */
export function addMacvlan(options: {
  readonly parentIndex: number;
  readonly mode: MacvlanMode;
  readonly inner: InnerLink;
}): RouteRequest {
  const info = Buffer.concat([
    attribute(INFO_KIND, text('macvlan')),
    attribute(INFO_DATA, attribute(MACVLAN_MODE, number(macvlanModes[options.mode]))),
  ]);
  return newLink('macvlan add', [
    innerLink(options.inner),
    attribute(attributes.link, number(options.parentIndex)),
    attribute(attributes.linkInfo, info),
  ]);
}

/**
 * Lets frames leave a bridge by the port that they came in by (`hairpin`), and a port talk to the host alone, not to
 * the other ports that are `isolated`.
 */
export function setBridgePort(
  index: number,
  { hairpin, isolated }: { readonly hairpin: boolean; readonly isolated: boolean },
): RouteRequest {
  const body = Buffer.concat([
    linkHeader({ index, family: AF_BRIDGE }),
    nested(
      attributes.portInfo,
      attribute(IFLA_BRPORT_MODE, Buffer.of(Number(hairpin))),
      attribute(IFLA_BRPORT_ISOLATED, Buffer.of(Number(isolated))),
    ),
  ]);
  return { what: 'bridge port set', type: RTM_SETLINK, flags: 0, body };
}

/** Gives a link an IPv4 or IPv6 address. */
export function addAddress(options: {
  readonly index: number;
  readonly address: string;
  readonly prefix: number;
}): RouteRequest {
  const header = Buffer.from([familyOf(options.address), options.prefix, 0, RT_SCOPE_UNIVERSE, 0, 0, 0, 0]);
  header.writeUInt32LE(options.index, 4);
  const address = addressBytes(options.address);
  const body = Buffer.concat([
    header,
    attribute(IFA_LOCAL, address),
    attribute(IFA_ADDRESS, address),
    ...(options.address.includes(':') ? [attribute(IFA_FLAGS, number(IFA_F_NODAD))] : []),
  ]);
  return { what: 'address add', type: RTM_NEWADDR, flags: bits.create | bits.excl, body };
}

type Route = { readonly index: number; readonly gateway: string };

/** Makes a gateway the way to everywhere. */
export function addDefaultRoute(route: Route): RouteRequest {
  const flags = bits.create | bits.excl;
  return { what: 'route add', type: RTM_NEWROUTE, flags, body: defaultRoute(route) };
}

export function removeDefaultRoute(route: Route): RouteRequest {
  return { what: 'route delete', type: RTM_DELROUTE, flags: 0, body: defaultRoute(route) };
}

function defaultRoute({ index, gateway }: Route): Buffer {
  const header = Buffer.alloc(12);
  const scope = [RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST];
  header.set([familyOf(gateway), 0, 0, 0, ...scope]);
  return Buffer.concat([
    header,
    attribute(RTA_GATEWAY, addressBytes(gateway)),
    attribute(RTA_OIF, number(index)),
  ]);
}

const familyOf = (address: string) => (address.includes(':') ? AF_INET6 : AF_INET);

function newLink(what: string, parts: readonly Buffer[]): RouteRequest {
  return { what, type: RTM_NEWLINK, flags: bits.create | bits.excl, body: Buffer.concat(parts) };
}

function innerLink(link: InnerLink): Buffer {
  return Buffer.concat([
    linkHeader({ index: 0 }),
    ...partsOf(link),
    attribute(attributes.namespaceFd, number(link.namespaceFd)),
  ]);
}

function partsOf(link: {
  readonly name?: string | undefined;
  readonly mac?: string | undefined;
  readonly mtu?: number | undefined;
  readonly bridgeIndex?: number | undefined;
}): readonly Buffer[] {
  const { name, mac, mtu, bridgeIndex } = link;
  return [
    ...(name === undefined ? [] : [attribute(attributes.name, text(name))]),
    ...(mac === undefined ? [] : [attribute(attributes.address, macBytes(mac))]),
    ...(mtu === undefined ? [] : [attribute(attributes.mtu, number(mtu))]),
    ...(bridgeIndex === undefined ? [] : [attribute(attributes.master, number(bridgeIndex))]),
  ];
}

/** struct ifinfomsg: `index` 0 lets the kernel choose. */
function linkHeader(options: {
  readonly index: number;
  readonly up?: boolean;
  readonly family?: number;
}): Buffer {
  const header = Buffer.alloc(16);
  header[0] = options.family ?? AF_UNSPEC;
  header.writeInt32LE(options.index, 4);
  if (options.up) {
    header.writeUInt32LE(IFF_UP, 8);
    header.writeUInt32LE(IFF_UP, 12);
  }
  return header;
}

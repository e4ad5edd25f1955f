import { call, check } from './libc.ts';
import { addressBytes, number } from './netlink-message.ts';

const [AF_INET, AF_INET6] = [2, 10];
const types = { tcp: 1, udp: 2, sctp: 1 } as const;
const protocols = { tcp: 6, udp: 17, sctp: 132 } as const;
const SOCK_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const [SOL_SOCKET, SO_REUSEADDR, SO_RCVBUFFORCE] = [1, 2, 33];
const [IPPROTO_IPV6, IPV6_V6ONLY] = [41, 26];
const BACKLOG = 511;

/** A socket that is bound, and of TCP and SCTP listens; whoever gets the descriptor closes it. */
export type BoundSocket = { readonly fd: number; readonly port: number };

/**
 * Binds a socket in the network namespace that the thread is in, which Node's own sockets, bound some time later, would
 * miss. `port` 0 takes a free one. Throws with `code` 'EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'EPROTONOSUPPORT'.
 */
export function bindSocket(options: {
  readonly protocol: keyof typeof types;
  readonly address: string;
  readonly port: number;
  /** Room for what has come and was not read yet; the kernel's default where it is not said. */
  readonly receiveBytes?: number;
}): BoundSocket {
  const { protocol, address, port, receiveBytes } = options;
  const six = address.includes(':');
  const where = `${address}:${port}/${protocol}`;
  const fd = call('int socket(int, int, int)')(
    six ? AF_INET6 : AF_INET,
    types[protocol] | SOCK_CLOEXEC_NONBLOCK,
    protocols[protocol],
  );
  check(fd, 'socket', where);
  try {
    const set = call('int setsockopt(int, int, int, const uint8_t *, unsigned int)');
    const one = Buffer.from([1, 0, 0, 0]);
    // Connections that ended a moment ago don't keep a port.
    if (protocol !== 'udp') check(set(fd, SOL_SOCKET, SO_REUSEADDR, one, 4), 'setsockopt', where);
    if (six) check(set(fd, IPPROTO_IPV6, IPV6_V6ONLY, one, 4), 'setsockopt', where);
    if (receiveBytes !== undefined)
      check(set(fd, SOL_SOCKET, SO_RCVBUFFORCE, number(receiveBytes), 4), 'setsockopt', where);
    const name = socketAddress(address, port);
    check(call('int bind(int, const uint8_t *, unsigned int)')(fd, name, name.length), 'bind', where);
    if (protocol !== 'udp') check(call('int listen(int, int)')(fd, BACKLOG), 'listen', where);
    const length = Buffer.from([name.length, 0, 0, 0]);
    check(call('int getsockname(int, uint8_t *, uint8_t *)')(fd, name, length), 'getsockname', where);
    return { fd, port: name.readUInt16BE(2) };
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

export function closeSocket(fd: number): void {
  call('int close(int)')(fd);
}

/** struct sockaddr_in or sockaddr_in6. */
function socketAddress(address: string, port: number): Buffer {
  const six = address.includes(':');
  const bytes = Buffer.alloc(six ? 28 : 16);
  bytes.writeUInt16LE(six ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  addressBytes(address).copy(bytes, six ? 8 : 4);
  return bytes;
}

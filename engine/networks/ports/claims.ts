import { randomInt } from 'node:crypto';
import { BerthError, isErrno } from '../../api/errors.ts';
import { type BoundSocket, bindSocket, closeSocket } from '../../host/sockets.ts';
import type { PortWish, Protocol, PublishedPort } from './types.ts';

/** A port of the host's that is a container's, with the socket that keeps others from it. */
export type Claim = PublishedPort & {
  /**
   * Undefined where it is no longer the claim's to close, or another process took the port while no engine ran: the
   * rules lead to the container all the same.
   */
  readonly fd: number | undefined;
};

/** How often two ports of one number, of IPv4 and IPv6, are drawn before it is given up. */
const MAX_DRAWS = 32;
const ALL4 = '0.0.0.0';
const ALL6 = '::';

/** Which of the host's ports are whose. A port is held by a socket as long as it is claimed. */
export function openClaims() {
  const holders = new Map<string, Map<string, string>>();
  const keyOf = (protocol: Protocol, port: number) => `${port}/${protocol}`;

  /** The container that has the port, at this address or at one that covers it. */
  function holderOf({ protocol, address, port }: Omit<PublishedPort, 'containerPort'>): string | undefined {
    const all = address.includes(':') ? ALL6 : ALL4;
    for (const [held, holder] of holders.get(keyOf(protocol, port)) ?? []) {
      if (held.includes(':') !== address.includes(':')) continue;
      if (held === address || held === all || address === all) return holder;
    }
    return undefined;
  }

  function note(containerId: string, { protocol, address, port }: PublishedPort): void {
    const key = keyOf(protocol, port);
    holders.set(key, (holders.get(key) ?? new Map<string, string>()).set(address, containerId));
  }

  /** Lets ports go, and closes the sockets that were not handed on. */
  function drop(claims: readonly Claim[]): void {
    for (const { protocol, address, port, fd } of claims) {
      const key = keyOf(protocol, port);
      holders.get(key)?.delete(address);
      if (holders.get(key)?.size === 0) holders.delete(key);
      if (fd !== undefined) closeSocket(fd);
    }
  }

  /** One port of the host's, at all addresses that are meant; undefined where it is taken at one that was drawn. */
  function claimAt(containerId: string, wish: PortWish, wanted: number): readonly Claim[] {
    const claims: Claim[] = [];
    let port = wanted;
    try {
      for (const address of wish.address === '' ? [ALL4, ALL6] : [wish.address]) {
        const { protocol, containerPort } = wish;
        const held = bind({ protocol, address, port }, holderOf);
        // A host without IPv6 publishes for IPv4 alone.
        if (held === undefined) continue;
        port = held.port;
        const claim: Claim = { protocol, containerPort, address, port, fd: held.fd };
        note(containerId, claim);
        claims.push(claim);
      }
      return claims;
    } catch (error) {
      drop(claims);
      throw error;
    }
  }

  function claimOne(containerId: string, wish: PortWish): readonly Claim[] {
    const { first, last } = wish;
    const draws = first === 0 ? MAX_DRAWS : last - first + 1;
    for (let at = 0; ; at += 1) {
      try {
        return claimAt(containerId, wish, first === 0 ? drawn(wish) : first + at);
      } catch (error) {
        if (!(error instanceof BerthError) || error.code !== 'conflict' || at + 1 >= draws) throw error;
      }
    }
  }

  return {
    /**
     * Claims a port for each wish, and says which. All of them or none. Throws `conflict` for one that is in use,
     * `invalid` for an address that the host hasn't, `forbidden`, `unsupported`.
     */
    claim(containerId: string, wishes: readonly PortWish[]): readonly Claim[] {
      const claims: Claim[] = [];
      try {
        // Those that name one port first: none that is drawn may be one of them.
        for (const wish of wishes.toSorted((a, b) => Number(a.first === 0) - Number(b.first === 0)))
          claims.push(...claimOne(containerId, wish));
        return claims;
      } catch (error) {
        drop(claims);
        throw error;
      }
    },
    /** Takes up a claim of an engine that ended. Tells `lost` where somebody else took the port meanwhile. */
    resume(containerId: string, published: PublishedPort, lost: (error: unknown) => void): Claim {
      note(containerId, published);
      try {
        return { ...published, fd: bindSocket(published).fd };
      } catch (error) {
        lost(error);
        return { ...published, fd: undefined };
      }
    },
    drop,
  };
}

/** Linux draws a port itself, of those that it keeps for that (ip_local_port_range). Of SCTP it may not know. */
function drawn({ protocol }: PortWish): number {
  return protocol === 'sctp' ? randomInt(32768, 61000) : 0;
}

function bind(
  wanted: Omit<PublishedPort, 'containerPort'>,
  holderOf: (wanted: Omit<PublishedPort, 'containerPort'>) => string | undefined,
): BoundSocket | undefined {
  const { address, port, protocol } = wanted;
  const where = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const holder = port === 0 ? undefined : holderOf(wanted);
  if (holder !== undefined) {
    throw new BerthError('conflict', `Bind for ${where} failed: port is already allocated`, {
      hint: `container ${holder.slice(0, 12)} has it: publish another, or stop that one`,
    });
  }
  try {
    return bindSocket(wanted);
  } catch (error) {
    if (address === ALL6 && (isErrno(error, 'EAFNOSUPPORT') || isErrno(error, 'EADDRNOTAVAIL')))
      return undefined;
    throw refused(error, { where, protocol });
  }
}

function refused(
  error: unknown,
  { where, protocol }: { readonly where: string; readonly protocol: Protocol },
): unknown {
  const failed = `Bind for ${where} failed`;
  const options = (hint: string) => ({ hint, cause: error });
  if (isErrno(error, 'EADDRINUSE')) {
    const port = where.slice(where.lastIndexOf(':') + 1);
    return new BerthError(
      'conflict',
      `${failed}: address already in use`,
      options(`a process of this host has it: ss -anp 'sport = :${port}'`),
    );
  }
  if (isErrno(error, 'EADDRNOTAVAIL') || isErrno(error, 'EINVAL'))
    return new BerthError(
      'invalid',
      `${failed}: cannot assign requested address`,
      options('this host has no such address: ip addr'),
    );
  if (isErrno(error, 'EACCES'))
    return new BerthError('forbidden', `${failed}: permission denied`, options('choose a port above 1023'));
  if (isErrno(error, 'EPROTONOSUPPORT'))
    return new BerthError('unsupported', `this kernel does not know ${protocol}`, options('modprobe sctp'));
  if (isErrno(error, 'EMFILE'))
    return new BerthError(
      'conflict',
      `${failed}: too many ports are published`,
      options('raise the limit of open files of the engine'),
    );
  return error;
}

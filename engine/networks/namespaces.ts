import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';
import {
  addAddress,
  addDefaultRoute,
  addMacvlan,
  addVethPair,
  changeLink,
  linkUp,
  type MacvlanMode,
  openRouteSocket,
  removeDefaultRoute,
  removeLink,
  setBridgePort,
} from '../host/netlink.ts';
import { inNetworkNamespace, keepNetworkNamespace, makeNetworkNamespace } from '../host/network-namespace.ts';
import { unmount } from '../host/syscalls.ts';

/** An interface of a container: what it is plugged into, and what it is called and has inside. */
export type Link = {
  /** `eth0`. */
  readonly name: string;
  readonly mac: string;
  readonly mtu?: number | undefined;
  readonly addresses: readonly { readonly address: string; readonly prefix: number }[];
  readonly on:
    | {
        readonly kind: 'bridge';
        readonly bridge: string;
        readonly hostInterface: string;
        /** Other containers on the bridge are out of reach. */
        readonly isolated: boolean;
      }
    | { readonly kind: 'macvlan'; readonly parent: string; readonly mode: MacvlanMode };
};

/** A way out: through which interface, to whom. */
export type Gateway = { readonly name: string; readonly address: string };

const LOOPBACK = 1;

/** A namespace with its loopback up, and one end of a link that leads nowhere yet. It goes with its descriptor. */
export type Spare = { readonly descriptor: number; readonly hostInterface: string };

/** How the end of a spare's link inside is called. */
const SPARE_NAME = 'eth0';

/**
 * Makes a network namespace that is kept by the file at `path`, with its loopback up. No program is spawned: with an
 * interface it takes two milliseconds, most of it the kernel's.
 */
export function createNamespace(path: string): void {
  const descriptor = makeNamespace();
  try {
    keepNamespace(descriptor, path);
  } finally {
    closeSync(descriptor);
  }
}

function makeNamespace(): number {
  const { descriptor, socket } = makeNetworkNamespace();
  using inside = socket;
  inside.send([linkUp(LOOPBACK)]);
  return descriptor;
}

function keepNamespace(descriptor: number, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  keepNetworkNamespace(descriptor, path);
}

/** Makes a namespace with a link whose end here has this name. Throws what the kernel said, and leaves nothing. */
export function makeSpare(hostInterface: string): Spare {
  const descriptor = makeNamespace();
  try {
    using outside = openRouteSocket();
    outside.send([addVethPair({ name: hostInterface, peer: { name: SPARE_NAME, namespaceFd: descriptor } })]);
    return { descriptor, hostInterface };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Has the file at `path` keep a spare namespace, as `createNamespace` does a new one. */
export function keepSpare({ descriptor }: Spare, path: string): void {
  try {
    keepNamespace(descriptor, path);
  } finally {
    closeSync(descriptor);
  }
}

/** Lets a spare go, and its link. */
export function dropSpare({ descriptor }: Spare): void {
  closeSync(descriptor);
}

/**
 * Plugs an interface into a namespace; a link to a bridge that is there already is the spare's that the namespace was.
 * Throws what the kernel said, `invalid` where its bridge or parent isn't there, `conflict` where the bridge is full.
 */
export function plug(path: string, link: Link): void {
  const namespaceFd = openSync(path, 'r');
  const { name, mac, mtu } = link;
  const inner = { name, mac, mtu, namespaceFd };
  let spare = false;
  try {
    using outside = openRouteSocket();
    const indexOf = (other: string) => {
      const found = outside.indexOf(other);
      if (found !== undefined) return found;
      throw new BerthError('invalid', `there is no interface ${other} on this host`, { hint: 'ip link' });
    };
    if (link.on.kind === 'bridge') {
      const { bridge, hostInterface, isolated } = link.on;
      const bridgeIndex = indexOf(bridge);
      const ready = outside.indexOf(hostInterface);
      spare = ready !== undefined;
      try {
        if (ready !== undefined) outside.send([changeLink({ index: ready, bridgeIndex, mtu })]);
        else outside.send([addVethPair({ name: hostInterface, bridgeIndex, peer: inner })]);
      } catch (error) {
        throw isFull(error) ? fullBridge(bridge) : error;
      }
      // Where the kernel has bridges ask the rules too (br_netfilter), what a container sends to a port that is
      // published of itself never leaves the bridge.
      outside.send([setBridgePort(indexOf(hostInterface), { hairpin: true, isolated })]);
    } else {
      const { parent, mode } = link.on;
      outside.send([addMacvlan({ parentIndex: indexOf(parent), mode, inner })]);
    }
  } finally {
    closeSync(namespaceFd);
  }
  inNetworkNamespace(path, () => {
    using socket = openRouteSocket();
    const index = socket.indexOf(spare ? SPARE_NAME : name) ?? 0;
    const up = spare ? changeLink({ index, name, mac, mtu }) : linkUp(index);
    socket.send([up, ...link.addresses.map((address) => addAddress({ index, ...address }))]);
  });
}

/** EXFULL, a number that Node has no name for. */
const isFull = (error: unknown) => (error as NodeJS.ErrnoException).errno === -54;

/** Linux numbers a bridge's ports with ten bits, and the first number is none (net/bridge/br_private.h). */
const fullBridge = (bridge: string) =>
  new BerthError('conflict', `the bridge ${bridge} is full: it has 1023 interfaces, and no bridge has more`, {
    hint: 'berth network create, and put others on another',
  });

/** Takes the interface with this name out of a namespace. Nothing where it has none. */
export function unplug(path: string, name: string): void {
  inNetworkNamespace(path, () => {
    using socket = openRouteSocket();
    const index = socket.indexOf(name);
    if (index !== undefined) socket.send([removeLink(index)]);
  });
}

/** Makes these the ways to everywhere, in place of those before. One that is gone with its interface is no error. */
export function setGateways(
  path: string,
  ways: { readonly from: readonly Gateway[]; readonly to: readonly Gateway[] },
): void {
  inNetworkNamespace(path, () => {
    using socket = openRouteSocket();
    const route = ({ name, address }: Gateway) => ({ index: socket.indexOf(name) ?? 0, gateway: address });
    for (const way of ways.from) {
      try {
        socket.send([removeDefaultRoute(route(way))]);
      } catch (error) {
        if (!isErrno(error, 'ESRCH') && !isErrno(error, 'ENODEV') && !isErrno(error, 'EINVAL')) throw error;
      }
    }
    for (const way of ways.to) {
      try {
        socket.send([addDefaultRoute(route(way))]);
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error;
      }
    }
  });
}

/** Lets the namespace go: with its last process it ends, and its links with it. Nothing where there is none. */
export async function removeNamespace(path: string): Promise<void> {
  try {
    unmount(path, { detach: true });
  } catch (error) {
    // EINVAL: not a mount (the engine ended between making the file and the namespace).
    if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) throw error;
  }
  await rm(path, { force: true });
}

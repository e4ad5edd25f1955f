import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BerthError, isErrno } from '../api/errors.ts';
import { addAddress, addDefaultRoute, addVethPair, linkUp, openRouteSocket } from '../host/netlink.ts';
import { makeNetworkNamespace } from '../host/network-namespace.ts';
import { runProgram } from '../host/programs.ts';
import { unmount } from '../host/syscalls.ts';

/** What is made inside a new network namespace: a link to the bridge and its address, or nothing but loopback. */
export type Link = {
  readonly bridge: string;
  readonly hostInterface: string;
  readonly mac: string;
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string;
};

const LOOPBACK = 1;
/** The index of eth0 in a container's namespace: the first after loopback's. */
const ETH0 = 2;

/**
 * Makes a network namespace that is kept by the file at `path`, with its loopback up and, where a link is given,
 * an eth0 that is plugged into the bridge. No program is spawned: it takes a millisecond, most of it the kernel's.
 */
export function createNamespace(path: string, link: Link | undefined): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  using inside = makeNetworkNamespace(path);
  inside.send([linkUp(LOOPBACK)]);
  if (link === undefined) return;
  const { mac, gateway } = link;
  const namespace = openSync(path, 'r');
  try {
    using outside = openRouteSocket();
    const bridgeIndex = Number(readFileSync(`/sys/class/net/${link.bridge}/ifindex`, 'utf8'));
    const peer = { name: 'eth0', index: ETH0, mac, namespaceFd: namespace };
    outside.send([addVethPair({ name: link.hostInterface, bridgeIndex, peer })]);
  } finally {
    closeSync(namespace);
  }
  inside.send([
    linkUp(ETH0),
    addAddress({ index: ETH0, ...link }),
    addDefaultRoute({ index: ETH0, gateway }),
  ]);
}

/** Lets the namespace go: with its last process it ends, and its veth with it. Nothing where there is none. */
export async function removeNamespace(path: string): Promise<void> {
  try {
    unmount(path, { detach: true });
  } catch (error) {
    // EINVAL: not a mount (the engine ended between making the file and the namespace).
    if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) throw error;
  }
  await rm(path, { force: true });
}

/** Takes a link away, both its ends, though its namespace goes on. Nothing where there is none. */
export async function removeInterface(name: string): Promise<void> {
  try {
    await runProgram('ip', ['link', 'del', name]);
  } catch (error) {
    if (!(error instanceof BerthError) || !/Cannot find device/.test(error.message)) throw error;
  }
}

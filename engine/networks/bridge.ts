import { readFileSync, writeFileSync } from 'node:fs';
import { isErrno } from '../api/errors.ts';
import { addAddress, addBridge, linkUp, openRouteSocket, removeLink, setAlias } from '../host/netlink.ts';
import { formatAddress } from './addresses.ts';
import { optionsOf } from './options.ts';
import type { Network } from './types.ts';
import { prefixOf, subnetOf } from './views.ts';

/**
 * Makes the bridge of a network with its gateways' addresses, unless it is there already, and lets the kernel forward.
 * Safe to repeat: what an engine that was killed left half made is made whole. Throws what the kernel said.
 */
export function ensureBridge(network: Network, alias: string): void {
  const name = network.bridge ?? '';
  const gateways = ([4, 6] as const).flatMap((family) => {
    const config = subnetOf(network, family);
    return config?.Gateway ? [{ address: config.Gateway, prefix: prefixOf(config) }] : [];
  });
  using socket = openRouteSocket();
  if (socket.indexOf(name) === undefined) {
    const mac = macOf(gateways[0]?.address ?? '');
    socket.send([addBridge({ name, mac, mtu: optionsOf(network).mtu })]);
  }
  const index = socket.indexOf(name) ?? 0;
  for (const gateway of gateways) {
    try {
      socket.send([addAddress({ index, ...gateway })]);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
  }
  socket.send([linkUp(index), setAlias(index, alias)]);
  // A port that is published is reached from the host's own loopback too; see the rules in firewall-rules.ts.
  allow(`ipv4/conf/${name}/route_localnet`);
  allow('ipv4/ip_forward');
  if (network.ipv6) allow('ipv6/conf/all/forwarding');
}

/** Takes an interface away, and its other end. Nothing where there is none. */
export function removeInterface(name: string): void {
  using socket = openRouteSocket();
  const index = socket.indexOf(name);
  if (index === undefined) return;
  try {
    socket.send([removeLink(index)]);
  } catch (error) {
    // It went with its namespace meanwhile.
    if (!isErrno(error, 'ENODEV')) throw error;
  }
}

/** Sets a switch of the kernel's. It is left as it is where it is set already: /proc/sys may be read-only. */
function allow(name: string): void {
  const path = `/proc/sys/net/${name}`;
  if (readFileSync(path, 'utf8').trim() !== '1') writeFileSync(path, '1');
}

/** A locally administered hardware address that follows from the IPv4 address, as Docker makes them. */
export function macOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `02:42:${bytes.join(':')}`;
}

/** The address that the kernel gives an interface on its own link (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac
    .split(/[:-]/)
    .map((byte) => Number.parseInt(byte, 16));
  const words = [(a ^ 2) * 256 + b, c * 256 + 0xff, 0xfe00 + d, e * 256 + f];
  return formatAddress(6, words.reduce((sum, word) => sum * 65536n + BigInt(word), 0n) + (0xfe80n << 112n));
}

import { randomBytes } from 'node:crypto';
import { BerthError } from '../api/errors.ts';
import { runProgram } from '../host/programs.ts';
import { overlaps, parseSubnet, type Subnet } from './addresses.ts';

/** Networks that get no subnet of their own choice get the first free one of these; dockerd begins at 172.17, so Berth above it. */
const candidates: readonly Subnet[] = [
  ...Array.from({ length: 14 }, (_unused, index) => parseSubnet(`172.${18 + index}.0.0/16`)),
  ...Array.from({ length: 256 }, (_unused, index) => parseSubnet(`10.88.${index}.0/24`)),
];

/** The same as `info` shows them: networks, and how large a part of each one gets. */
export const addressPools: readonly { readonly Base: string; readonly Size: number }[] = [
  ...Array.from({ length: 14 }, (_unused, index) => ({ Base: `172.${18 + index}.0.0/16`, Size: 16 })),
  { Base: '10.88.0.0/16', Size: 24 },
];

/**
 * A subnet that nothing uses: `used` are those that this host routes and that other networks of this engine hold.
 * Throws `conflict` when there is none left.
 */
export function chooseSubnet(used: readonly Subnet[]): Subnet {
  const free = candidates.find((candidate) => !used.some((subnet) => overlaps(candidate, subnet)));
  if (free === undefined) {
    throw new BerthError('conflict', 'no private subnet is free on this host', {
      hint: 'choose one: berth network create --subnet, or network.subnet in the settings',
    });
  }
  return free;
}

/** A subnet of the addresses that anybody may use within a site: its 40 bits are drawn (RFC 4193, section 3.2). */
export function inventSubnet6(): Subnet {
  const drawn = randomBytes(5).toString('hex');
  return parseSubnet(`fd${drawn.slice(0, 2)}:${drawn.slice(2, 6)}:${drawn.slice(6)}::/64`);
}

/** What the host's routes and interfaces cover, the default route left out. */
export async function hostSubnets(): Promise<readonly Subnet[]> {
  const listed = await Promise.all(
    ['-4', '-6'].map((family) => runProgram('ip', ['-json', family, 'route', 'show', 'table', 'all'])),
  );
  return listed.flatMap((text) =>
    // One that has none prints nothing.
    (JSON.parse(text || '[]') as { readonly dst?: string }[]).flatMap(({ dst = 'default' }) => {
      if (dst === 'default' || dst.endsWith('/0')) return [];
      return [parseSubnet(dst.includes('/') ? dst : `${dst}/${dst.includes(':') ? 128 : 32}`)];
    }),
  );
}

import { BerthError } from '../api/errors.ts';
import { runProgram } from '../host/programs.ts';
import { overlaps, parseAddress, type Subnet } from './addresses.ts';

/** The first free /16 of these becomes the default bridge's network; dockerd begins at 172.17, so Berth above it. */
const candidates: readonly Subnet[] = [
  ...Array.from({ length: 14 }, (_unused, index) => ({
    base: ((172 << 24) | ((18 + index) << 16)) >>> 0,
    prefix: 16,
  })),
  ...Array.from({ length: 256 }, (_unused, index) => ({
    base: ((10 << 24) | (88 << 16) | (index << 8)) >>> 0,
    prefix: 24,
  })),
];

/** The same as `info` shows them: networks, and how large a part of each one gets. */
export const addressPools: readonly { readonly Base: string; readonly Size: number }[] = [
  ...Array.from({ length: 14 }, (_unused, index) => ({ Base: `172.${18 + index}.0.0/16`, Size: 16 })),
  { Base: '10.88.0.0/16', Size: 24 },
];

/**
 * A subnet that nothing on this host uses: no route leads into it and no interface has an address in it.
 * `taken` are those that other networks of this engine hold. Throws `conflict` when there is none left.
 */
export async function chooseSubnet(taken: readonly Subnet[]): Promise<Subnet> {
  const used = [...taken, ...(await hostSubnets())];
  const free = candidates.find((candidate) => !used.some((subnet) => overlaps(candidate, subnet)));
  if (free === undefined) {
    throw new BerthError('conflict', 'no private subnet is free on this host', {
      hint: 'set network.subnet in the settings',
    });
  }
  return free;
}

/** What the host's routes and interfaces cover, the default route left out. */
async function hostSubnets(): Promise<readonly Subnet[]> {
  const routes = JSON.parse(await runProgram('ip', ['-json', '-4', 'route', 'show', 'table', 'all'])) as {
    dst?: string;
  }[];
  return routes.flatMap(({ dst = 'default' }) => {
    const [address = '', prefix = '32'] = dst.split('/');
    const base = parseAddress(address);
    return base === undefined || prefix === '0' ? [] : [{ base, prefix: Number(prefix) }];
  });
}

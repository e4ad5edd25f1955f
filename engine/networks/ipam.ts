import { BerthError } from '../api/errors.ts';
import { contains, formatAddress, formatSubnet, parseAddress, type Subnet, sizeOf } from './addresses.ts';

/** The addresses of one subnet. */
export type AddressPool = {
  /**
   * Gives a free address, or the one that is wanted. Never one that was let go while there is another. Throws
   * `conflict` where there is none, or the wanted one is taken, `invalid` where it isn't one of the subnet's.
   */
  allocate(wanted?: string): string;
  /** Notes an address that is in use already. */
  take(address: string): void;
  release(address: string): void;
};

/**
 * Addresses are handed out without looking through those that are taken: first each one once, in their order, then
 * those that were let go, the longest ago first. `reserved` are never given: gateway and auxiliary addresses.
 */
export function openAddressPool(options: {
  readonly subnet: Subnet;
  /** The part of it from which addresses are chosen; one that is asked for by name may lie anywhere. */
  readonly range?: Subnet | undefined;
  readonly reserved: readonly string[];
}): AddressPool {
  const { subnet, range = subnet } = options;
  const { family } = subnet;
  const broadcast = subnet.base + sizeOf(subnet) - 1n;
  const unusable = (address: bigint) =>
    // Of very small networks each address is somebody's (RFC 3021).
    family === 4 && subnet.prefix < 31 && (address === subnet.base || address === broadcast);
  const reserved = new Set(options.reserved);
  const taken = new Set<string>();
  const freed = new Set<string>();
  let next = range.base;
  const end = range.base + sizeOf(range);

  function chosen(): string | undefined {
    for (; next < end; next += 1n) {
      const address = formatAddress(family, next);
      if (unusable(next) || next === subnet.base || reserved.has(address) || taken.has(address)) continue;
      next += 1n;
      return address;
    }
    const [longestAgo] = freed;
    return longestAgo;
  }

  return {
    allocate(wanted) {
      if (wanted !== undefined) {
        const number = parseAddress(wanted);
        if (number === undefined || !contains(subnet, wanted) || unusable(number)) {
          throw new BerthError('invalid', `no address of ${formatSubnet(subnet)}: ${wanted}`);
        }
        if (taken.has(wanted) || reserved.has(wanted)) {
          throw new BerthError('conflict', `Address already in use: ${wanted}`, {
            hint: 'choose another, or leave it out',
          });
        }
      }
      const address = wanted ?? chosen();
      if (address === undefined) {
        throw new BerthError('conflict', `no address is free in ${formatSubnet(range)}`, {
          hint: 'remove containers that run',
        });
      }
      taken.add(address);
      freed.delete(address);
      return address;
    },
    take: (address) => void taken.add(address),
    release(address) {
      if (!taken.delete(address)) return;
      const number = parseAddress(address) ?? 0n;
      if (number >= range.base && number < next) freed.add(address);
    },
  };
}

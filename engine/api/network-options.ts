import { BlockList, isIP } from 'node:net';
import { readMap, readPair } from './create/pairs.ts';
import { BerthError } from './errors.ts';
import { boolean, type Field, list, string, type ValuesOf } from './fields.ts';
import type { CreateNetworkBody, IpamConfig } from './wire/networks.ts';

/** What can be said of a new network, beside its name. */
export const newNetworkFields = {
  driver: string('Driver: bridge, or macvlan', { short: 'd', placeholder: 'DRIVER' }),
  subnet: list('Subnet, as in 10.30.0.0/24', { placeholder: 'SUBNET' }),
  gateway: list('Address of the way out of a subnet', { placeholder: 'ADDRESS' }),
  ipRange: list('Part of a subnet that containers get addresses of', { placeholder: 'SUBNET' }),
  auxAddress: list('Address that no container gets', { placeholder: 'NAME=ADDRESS' }),
  internal: boolean('Lead nowhere but to each other'),
  ipv6: boolean('Give IPv6 addresses too'),
  opt: list('Option of the driver', { short: 'o', placeholder: 'NAME=VALUE' }),
  label: list('Set a label', { placeholder: 'NAME=VALUE' }),
} as const satisfies Record<string, Field>;

/** The body of `POST /networks/create`. Throws `invalid`, for what belongs to no subnet in docker's words. */
export function newNetworkBody(name: string, options: ValuesOf<typeof newNetworkFields>): CreateNetworkBody {
  return {
    Name: name,
    Driver: options.driver || 'bridge',
    CheckDuplicate: true,
    Internal: options.internal ?? false,
    EnableIPv6: options.ipv6 ?? false,
    IPAM: { Driver: 'default', Options: {}, Config: poolsOf(options) },
    Options: readMap('opt', options.opt, { bare: true }) ?? {},
    Labels: readMap('label', options.label, { bare: true }) ?? {},
  };
}

/** Each subnet with what was said of it: the Engine API has them together, flags one after the other. */
function poolsOf(options: ValuesOf<typeof newNetworkFields>): readonly IpamConfig[] {
  const pools = (options.subnet ?? []).map((Subnet) => ({
    Subnet,
    IPRange: undefined as string | undefined,
    Gateway: undefined as string | undefined,
    AuxiliaryAddresses: {} as Record<string, string>,
  }));
  const poolOf = (what: string, address: string) => {
    const found = pools.find(({ Subnet }) => holds(Subnet, address.replace(/\/.*$/, '')));
    if (found !== undefined) return found;
    throw new BerthError('invalid', `no matching subnet for ${what} ${address}`, {
      hint: 'give the subnet that it is part of with --subnet',
    });
  };
  const once = (what: string, before: string | undefined, value: string, { Subnet }: { Subnet: string }) => {
    if (before === undefined) return value;
    throw new BerthError(
      'invalid',
      `cannot configure multiple ${what} (${before}, ${value}) on the same subnet (${Subnet})`,
    );
  };
  for (const range of options.ipRange ?? []) {
    const pool = poolOf('range', range);
    pool.IPRange = once('ranges', pool.IPRange, range, pool);
  }
  for (const gateway of options.gateway ?? []) {
    const pool = poolOf('gateway', gateway);
    pool.Gateway = once('gateways', pool.Gateway, gateway, pool);
  }
  for (const text of options.auxAddress ?? []) {
    const [name, address] = readPair('aux-address', text);
    poolOf('aux-address', address).AuxiliaryAddresses[name] = address;
  }
  return pools.map(({ Subnet, IPRange, Gateway, AuxiliaryAddresses }) => ({
    Subnet,
    ...(IPRange === undefined ? {} : { IPRange }),
    ...(Gateway === undefined ? {} : { Gateway }),
    ...(Object.keys(AuxiliaryAddresses).length === 0 ? {} : { AuxiliaryAddresses }),
  }));
}

/** Whether a subnet has an address. Throws `invalid` where it is no subnet. */
function holds(subnet: string, address: string): boolean {
  const [base = '', prefix = ''] = subnet.split('/');
  const list = new BlockList();
  try {
    list.addSubnet(base, Number(prefix || Number.NaN), familyOf(base));
  } catch (error) {
    throw new BerthError('invalid', `invalid subnet '${subnet}'`, {
      hint: 'write it as 172.30.0.0/16 or fd00:30::/64',
      cause: error,
    });
  }
  return isIP(address) !== 0 && list.check(address, familyOf(address));
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

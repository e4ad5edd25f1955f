import { isIP } from 'node:net';
import { BerthError } from '../api/errors.ts';
import type { EndpointWish } from '../api/wire/networks.ts';
import { contains, parseSubnet, plainAddress } from './addresses.ts';
import type { Network } from './types.ts';
import { subnetOf } from './views.ts';

/**
 * Checks what a client wants of an endpoint on a network, and gives it as it is kept. Throws `invalid` in dockerd's
 * words for what the network can't grant.
 */
export function settleWish(network: Network, wish: EndpointWish): EndpointWish {
  const { IPAMConfig, Aliases, Links, MacAddress, DriverOpts } = wish;
  const v4 = addressFor(network, 4, IPAMConfig?.IPv4Address);
  const v6 = addressFor(network, 6, IPAMConfig?.IPv6Address);
  if ((IPAMConfig?.LinkLocalIPs ?? []).length > 0)
    throw new BerthError('unsupported', 'LinkLocalIPs are not supported', { hint: 'leave them out' });
  if (network.builtin && (Aliases ?? []).length > 0) {
    throw new BerthError(
      'invalid',
      'network-scoped alias is supported only for containers in user defined networks',
      { hint: 'berth network create' },
    );
  }
  for (const alias of Aliases ?? []) {
    if (!/^[^\s/]{1,255}$/.test(alias))
      throw new BerthError('invalid', `invalid alias '${alias}': a name without spaces is needed`);
  }
  return {
    ...(v4 === undefined && v6 === undefined
      ? {}
      : {
          IPAMConfig: {
            ...(v4 === undefined ? {} : { IPv4Address: v4 }),
            ...(v6 === undefined ? {} : { IPv6Address: v6 }),
          },
        }),
    ...((Aliases ?? []).length > 0 ? { Aliases: Aliases ?? [] } : {}),
    ...((Links ?? []).length > 0 ? { Links: Links ?? [] } : {}),
    ...(MacAddress ? { MacAddress: MacAddress.toLowerCase().replaceAll('-', ':') } : {}),
    ...(Object.keys(DriverOpts ?? {}).length > 0 ? { DriverOpts: DriverOpts ?? {} } : {}),
  };
}

function addressFor(network: Network, family: 4 | 6, wanted: string | undefined): string | undefined {
  if (!wanted) return undefined;
  if (network.builtin) {
    throw new BerthError('invalid', 'user specified IP address is supported on user defined networks only', {
      hint: 'berth network create --subnet',
    });
  }
  if (isIP(wanted) !== family) throw new BerthError('invalid', `invalid IPv${family} address: ${wanted}`);
  const subnet = subnetOf(network, family)?.Subnet;
  if (!network.subnetsGiven || subnet === undefined) {
    throw new BerthError(
      'invalid',
      'user specified IP address is supported only when connecting to networks with user configured subnets',
      { hint: `berth network create --subnet` },
    );
  }
  if (contains(parseSubnet(subnet), wanted)) return plainAddress(wanted);
  throw new BerthError('invalid', `invalid address ${wanted}: it is not one of the network's (${subnet})`);
}

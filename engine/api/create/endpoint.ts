import { type Field, list, string, type ValuesOf } from '../fields.ts';
import type { EndpointWish } from '../wire/networks.ts';
import { readMap, saidOnly } from './pairs.ts';

/** What can be said of a container on one network. */
export const endpointFields = {
  alias: list('Name that others on the network find it by', { placeholder: 'NAME' }),
  ip: string('IPv4 address on the network', { placeholder: 'ADDRESS' }),
  ip6: string('IPv6 address on the network', { placeholder: 'ADDRESS' }),
  link: list('Know another container by an alias', { placeholder: 'CONTAINER[:ALIAS]' }),
  driverOpt: list('Option for the driver of the network', { placeholder: 'NAME=VALUE' }),
} as const satisfies Record<string, Field>;

/** That as the Engine API has it. Throws `invalid`. */
export function endpointBody(
  options: ValuesOf<typeof endpointFields> & { readonly macAddress?: string | undefined },
): EndpointWish {
  const addresses = saidOnly({ IPv4Address: options.ip, IPv6Address: options.ip6 });
  return saidOnly({
    IPAMConfig: Object.keys(addresses).length === 0 ? undefined : addresses,
    Aliases: options.alias,
    Links: options.link,
    MacAddress: options.macAddress,
    DriverOpts: readMap('driver-opt', options.driverOpt),
  }) as EndpointWish;
}

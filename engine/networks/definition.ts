import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { BerthError } from '../api/errors.ts';
import type { CreateNetworkBody, IpamConfig } from '../api/wire/networks.ts';
import {
  contains,
  formatAddress,
  formatSubnet,
  overlaps,
  parseSubnet,
  plainAddress,
  type Subnet,
  sizeOf,
} from './addresses.ts';
import { checkOptions } from './options.ts';
import { chooseSubnet, inventSubnet6 } from './pool.ts';
import type { Driver, Network } from './types.ts';

const text = z.string().refine((value) => !value.includes('\0'), 'text without null bytes');
const texts = z.record(z.string(), text).nullish();
const truth = z.boolean().nullish();

const shape = z.looseObject({
  Name: text.regex(
    /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/,
    'letters, digits, dots, dashes and underscores, a letter or digit first',
  ),
  Driver: text.nullish(),
  CheckDuplicate: truth,
  Internal: truth,
  Attachable: truth,
  Ingress: truth,
  EnableIPv6: truth,
  EnableIPv4: truth,
  Scope: z.enum(['', 'local']).nullish(),
  IPAM: z
    .strictObject({
      Driver: z.enum(['', 'default']).nullish(),
      Options: texts,
      Config: z
        .array(
          z.strictObject({
            Subnet: text.nullish(),
            IPRange: text.nullish(),
            Gateway: text.nullish(),
            AuxiliaryAddresses: texts,
            AuxAddress: texts,
          }),
        )
        .nullish(),
    })
    .nullish(),
  Options: texts,
  Labels: texts,
});

const drivers: readonly Driver[] = ['bridge', 'macvlan'];

/**
 * Reads the body of a create request: what is wrong with it by itself. Throws `invalid` with the field and its value,
 * `forbidden` for names and drivers that there is one of, `notFound` for a driver that isn't there, in dockerd's words.
 */
export function readNetworkBody(body: unknown): CreateNetworkBody & { readonly Driver: Driver } {
  const parsed = shape.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const path = issue?.path ?? [];
    const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], body);
    throw new BerthError(
      'invalid',
      `invalid ${path.join('.') || 'request body'}: ${JSON.stringify(value)?.slice(0, 200)}: ${issue?.message}`,
    );
  }
  const { ConfigOnly, ConfigFrom, EnableIPv4, Ingress } = parsed.data as Record<string, unknown>;
  for (const [name, value] of Object.entries({ ConfigOnly, Ingress })) {
    if (value === true)
      throw new BerthError('unsupported', `${name} is not supported: networks here are of one machine`);
  }
  if (EnableIPv4 === false || (ConfigFrom as { Network?: string } | undefined)?.Network)
    throw new BerthError('unsupported', 'a network has IPv4, and a configuration of its own');
  const name = parsed.data.Name;
  if (['bridge', 'host', 'none', 'default', 'container'].includes(name)) {
    throw new BerthError('forbidden', `operation is not permitted on predefined ${name} network`, {
      hint: 'choose another name',
    });
  }
  return { ...(parsed.data as CreateNetworkBody), Driver: readDriver(parsed.data.Driver || 'bridge') };
}

function readDriver(name: string): Driver {
  if (drivers.includes(name as Driver)) return name as Driver;
  if (name === 'host' || name === 'null' || name === 'none')
    throw new BerthError('forbidden', `only one instance of "${name}" network is allowed`);
  if (name === 'overlay') {
    throw new BerthError(
      'unavailable',
      'This node is not a swarm manager. Networks of several machines are not served by this engine.',
      { hint: `use one of ${drivers.join(', ')}` },
    );
  }
  throw new BerthError('notFound', `plugin "${name}" not found`, {
    hint: `use one of ${drivers.join(', ')}`,
  });
}

/**
 * Makes a network of a body that was read: with an id, and a subnet where none was given. `others` are subnets of this
 * engine's networks, `routed` what the host uses. Throws `invalid`, `forbidden` where subnets overlap.
 */
export function defineNetwork(
  body: ReturnType<typeof readNetworkBody>,
  { others, routed }: { readonly others: readonly Subnet[]; readonly routed: readonly Subnet[] },
): Network {
  const { Driver: driver, Options: options, EnableIPv6: ipv6 = false } = body;
  const checked = checkOptions(driver, options ?? {});
  const given = (body.IPAM?.Config ?? [])
    .filter((config) => Object.values(config).some((value) => value))
    .map(readIpam);
  const all = given.map(({ Subnet }) => parseSubnet(Subnet ?? ''));
  all.forEach((subnet, index) => {
    if (others.some((other) => overlaps(subnet, other))) {
      throw new BerthError('forbidden', 'Pool overlaps with other one on this address space', {
        hint: `${formatSubnet(subnet)} is taken: berth network ls`,
      });
    }
    if (all.slice(0, index).some((other) => other.family === subnet.family))
      throw new BerthError('invalid', `a network has one subnet of a kind: ${formatSubnet(subnet)}`);
  });
  const has = (family: 4 | 6) => all.some((subnet) => subnet.family === family);
  if (has(6) && !ipv6) {
    throw new BerthError('invalid', 'a subnet of IPv6 was given to a network without IPv6', {
      hint: 'berth network create --ipv6',
    });
  }
  const chosen = [
    ...(has(4) ? [] : [withGateway(chooseSubnet([...others, ...routed]))]),
    ...given,
    ...(ipv6 && !has(6) ? [withGateway(inventSubnet6())] : []),
  ];
  const id = randomBytes(32).toString('hex');
  return {
    id,
    name: body.Name,
    driver,
    createdAt: new Date().toISOString(),
    builtin: false,
    subnets: chosen,
    subnetsGiven: given.length > 0,
    ipamOptions: body.IPAM?.Options ?? null,
    bridge: driver === 'bridge' ? (checked.bridge ?? `br-${id.slice(0, 12)}`) : undefined,
    internal: body.Internal === true,
    attachable: body.Attachable === true,
    ipv6,
    options: options ?? {},
    labels: body.Labels ?? {},
  };
}

function readIpam(
  config: IpamConfig & { readonly AuxAddress?: IpamConfig['AuxiliaryAddresses'] },
): IpamConfig {
  if (!config.Subnet) {
    throw new BerthError('invalid', `a subnet is missing beside ${JSON.stringify(config)}`, {
      hint: 'give the subnet that it is part of',
    });
  }
  const subnet = readSubnet('subnet', config.Subnet);
  const inside = (what: string, address: string) => {
    if (isIP(address) !== 0 && contains(subnet, address)) return plainAddress(address);
    throw new BerthError('invalid', `no matching subnet for ${what} ${address}`, {
      hint: `give an address of ${formatSubnet(subnet)}`,
    });
  };
  const range = config.IPRange ? readSubnet('range', config.IPRange) : undefined;
  if (range !== undefined && !(overlaps(subnet, range) && range.prefix >= subnet.prefix))
    throw new BerthError('invalid', `no matching subnet for range ${config.IPRange}`);
  const aux = Object.entries(config.AuxiliaryAddresses ?? config.AuxAddress ?? {});
  const gateway = config.Gateway ? inside('gateway', config.Gateway) : undefined;
  return {
    ...withGateway(subnet, gateway),
    ...(range === undefined ? {} : { IPRange: formatSubnet(range) }),
    ...(aux.length === 0
      ? {}
      : {
          AuxiliaryAddresses: Object.fromEntries(
            aux.map(([name, address]) => [name, inside('aux-address', address)]),
          ),
        }),
  };
}

function readSubnet(what: string, value: string): Subnet {
  try {
    return parseSubnet(value);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    throw new BerthError('invalid', `invalid ${what} ${value}: invalid CIDR address: ${value}`, {
      hint: error.hint,
    });
  }
}

/** The gateway is the first address where none was chosen. */
export function withGateway(subnet: Subnet, gateway?: string): IpamConfig {
  if (gateway === undefined && sizeOf(subnet) < 4n && subnet.family === 4) {
    throw new BerthError('invalid', `${formatSubnet(subnet)} has no room for a gateway and a container`);
  }
  return {
    Subnet: formatSubnet(subnet),
    Gateway: gateway ?? formatAddress(subnet.family, subnet.base + 1n),
  };
}

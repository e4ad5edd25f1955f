import { BerthError } from '../api/errors.ts';
import type { EndpointWish } from '../api/wire/networks.ts';
import type { Network, Networks } from '../networks/types.ts';

/**
 * Which networks a new container is attached to, in the order of its interfaces, and what it wants there. `endpoints`
 * is what a create's `NetworkingConfig` says, `mac` and `links` what its config says of the network that its mode
 * means. Throws `notFound`, `invalid` where they don't go together, in dockerd's words.
 */
export function endpointWishes(
  networks: Pick<Networks, 'named' | 'find'>,
  options: {
    readonly mode: string;
    readonly endpoints: Readonly<Record<string, EndpointWish | null>>;
    readonly mac: string | undefined;
    readonly links: readonly string[];
  },
): readonly { readonly network: Network; readonly wish: EndpointWish }[] {
  const { mode, endpoints, mac, links } = options;
  const named = Object.entries(endpoints);
  if (mode.startsWith('container:')) {
    if (named.length === 0) return [];
    throw new BerthError(
      'invalid',
      'conflicting options: container type network can not be used with networks of its own',
    );
  }
  const own = networks.named(mode);
  const wishes = new Map<Network, EndpointWish>();
  const others = named.map(([name, wish]) => {
    const network = name === 'default' ? networks.named(name) : networks.find(name);
    return [network, wish ?? {}] as const;
  });
  // On the default bridge by nobody's wish: those that were named are meant instead, as docker has it.
  const first = others.find(([network]) => network === own);
  if (first !== undefined || !own.builtin || others.length === 0 || own.name !== 'bridge') {
    const wish = first?.[1] ?? {};
    const linked = own.builtin ? [] : links;
    wishes.set(own, {
      ...wish,
      ...(mac === undefined ? {} : { MacAddress: wish.MacAddress || mac }),
      ...(linked.length === 0 ? {} : { Links: [...(wish.Links ?? []), ...linked] }),
    });
  }
  for (const [network, wish] of others) if (network !== own) wishes.set(network, wish);
  const alone = [...wishes.keys()].find(({ driver }) => driver === 'host' || driver === 'null');
  if (alone !== undefined && wishes.size > 1) throw cannotShare(alone);
  return [...wishes].map(([network, wish]) => ({ network, wish }));
}

/** Of `host` and `none` a container has that one alone. */
export function cannotShare(network: Network): BerthError {
  return new BerthError(
    'invalid',
    network.driver === 'host'
      ? 'container cannot be disconnected from host network or connected to host network'
      : 'container cannot be connected to multiple networks with one of the networks in private (none) mode',
  );
}

import { optionsOf } from './options.ts';
import type { Network } from './types.ts';
import { subnetOf } from './views.ts';

/** What the rules are made for: networks whose bridges are there, and the elements of each set as nft writes them. */
export type RulesState = {
  /** Name of the engine's tables. */
  readonly table: string;
  readonly networks: readonly Network[];
  readonly elements: (set: SetName) => readonly string[];
};

/** The engine's sets, and what an element of each is made of. */
export const sets = {
  published4: { family: 'inet', type: 'inet_proto . inet_service : ipv4_addr . inet_service' },
  published4at: {
    family: 'inet',
    type: 'ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service',
  },
  published6: { family: 'inet', type: 'inet_proto . inet_service : ipv6_addr . inet_service' },
  published6at: {
    family: 'inet',
    type: 'ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service',
  },
  /** Interfaces of containers, of this engine alone: not each kernel can tell a packet's bridge. */
  ports: { family: 'bridge', type: 'ifname' },
  hardware: { family: 'bridge', type: 'ifname . ether_addr' },
  addresses4: { family: 'bridge', type: 'ifname . ether_addr . ipv4_addr' },
  addresses6: { family: 'bridge', type: 'ifname . ether_addr . ipv6_addr' },
  /** The same for what a neighbour advertisement says its address is (RFC 4861, 4.4): older nft has no name for that. */
  neighbours: { family: 'bridge', typeof: 'iifname . ether saddr . @th,64,128' },
} as const;
export type SetName = keyof typeof sets;

/**
 * Both tables, as a script for nft. What most packets ask is asked first: of a connection that is let through, whether
 * it is that; of a packet over IPv4, whether its addresses are its sender's. The script puts them in place of what is
 * there in one transaction (declaring a table first lets the deletion succeed where there is none: nft(8), «delete»).
 *
 * The host's loopback is refused to containers where their packets enter the bridge; and to whatever else may be on
 * it once for each connection, so that the host's other packets are not asked: a chain of its own before all others
 * would see each of them.
 */
export function rulesText(state: RulesState): string {
  const { table, networks } = state;
  if (networks.length === 0) return removalText(table);
  return `${removalText(table)}
table inet ${table} {
${declared('inet', state)}
  set bridges { type ifname; elements = { ${networks.map(bridgeOf).join(', ')} }
  }
  chain publish {
    ip6 daddr ::1 return
    dnat ip to ip daddr . meta l4proto . th dport map @published4at
    dnat ip to meta l4proto . th dport map @published4
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6at
    dnat ip6 to meta l4proto . th dport map @published6
  }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept;
    ip daddr 127.0.0.0/8 iifname @bridges drop
    ip daddr 127.0.0.0/8 return
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
${networks.flatMap(masquerading).map(indented).join('\n')}
  }
  chain forward {
    type filter hook forward priority -1; policy accept;
    ct state established,related accept
    iifname @bridges jump from_containers
    oifname @bridges jump to_containers
  }
  chain from_containers {
${networks.flatMap(leaving).map(indented).join('\n')}
    ct status dnat accept
    oifname @bridges drop
  }
  chain to_containers {
    ct status dnat accept
    iifname @bridges accept
    drop
  }
}
table bridge ${table} {
${declared('bridge', state)}
  chain prerouting {
    type filter hook prerouting priority -200; policy accept;
    ip daddr 127.0.0.0/8 iifname @ports drop
    iifname . ether saddr . ip saddr @addresses4 accept
    iifname @ports jump guard
  }
  chain guard {
    icmpv6 type nd-neighbor-advert iifname . ether saddr . @th,64,128 != @neighbours drop
    icmpv6 type { nd-router-advert, nd-redirect } drop
    iifname . ether saddr . ip6 saddr @addresses6 accept
    iifname . ether saddr . arp saddr ip @addresses4 iifname . arp saddr ether . arp saddr ip @addresses4 accept
    ether type arp arp saddr ip 0.0.0.0 iifname . ether saddr @hardware accept
    ip6 saddr :: icmpv6 type { nd-neighbor-solicit, nd-router-solicit, mld-listener-report, mld2-listener-report } iifname . ether saddr @hardware accept
    drop
  }
}
`;
}

/** A script for nft that takes both tables away. */
export function removalText(table: string): string {
  return ['inet', 'bridge']
    .map((family) => `table ${family} ${table} {}\ndelete table ${family} ${table}`)
    .join('\n');
}

function declared(family: 'inet' | 'bridge', { elements }: RulesState): string {
  return (Object.keys(sets) as SetName[])
    .filter((name) => sets[name].family === family)
    .map((name) => {
      const set = sets[name];
      const type = 'type' in set ? `type ${set.type}` : `typeof ${set.typeof}`;
      const held = elements(name);
      const list = held.length === 0 ? '' : ` elements = { ${held.join(', ')} }`;
      return `  ${type.includes(' : ') ? 'map' : 'set'} ${name} { ${type};${list}\n  }`;
    })
    .join('\n');
}

const bridgeOf = (network: Network) => `"${network.bridge}"`;
const indented = (line: string) => `    ${line}`;

/** Others see the host's address: outside, and where a container reaches a published port of its own network. */
function masquerading(network: Network): readonly string[] {
  const bridge = bridgeOf(network);
  const outside = !network.internal && optionsOf(network).masquerade;
  return ([4, 6] as const).flatMap((family) => {
    const subnet = subnetOf(network, family)?.Subnet;
    if (!subnet) return [];
    const own = `${family === 4 ? 'ip' : 'ip6'} saddr ${subnet}`;
    // By the address: of what stays within the bridge (br_netfilter) no interface is told.
    const hairpin = `${own} oifname ${bridge} ct status dnat masquerade`;
    return outside ? [hairpin, `${own} oifname != ${bridge} masquerade`] : [hairpin];
  });
}

/** Where a container's packets may go without having been asked: to its own network, and outside unless that is internal. */
function leaving(network: Network): readonly string[] {
  const bridge = bridgeOf(network);
  const inside = `iifname ${bridge} oifname ${bridge}`;
  return [
    // The bridge keeps them apart, and not what they send through the host.
    ...(optionsOf(network).icc
      ? [`${inside} accept`]
      : [`${inside} ct status dnat accept`, `${inside} drop`]),
    ...(network.internal ? [`iifname ${bridge} drop`] : []),
  ];
}

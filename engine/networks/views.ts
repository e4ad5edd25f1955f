import type { IpamConfig, NetworkContainer, NetworkInspect } from '../api/wire/networks.ts';
import type { EndpointSettings } from '../api/wire.ts';
import { parseSubnet } from './addresses.ts';
import type { Attachment, Endpoint, Identity, Network } from './types.ts';

const SHORT_ID = 12;

/** The subnet of a kind, with its gateway; undefined where the network has none. */
export function subnetOf(network: Network, family: 4 | 6): IpamConfig | undefined {
  return network.subnets.find(({ Subnet }) => Subnet?.includes(':') === (family === 6));
}

export function prefixOf(config: IpamConfig | undefined): number {
  return config?.Subnet === undefined ? 0 : parseSubnet(config.Subnet).prefix;
}

/** A network as the Engine API shows it; `endpoints` with the names of their containers. */
export function networkView(
  network: Network,
  endpoints: readonly { readonly endpoint: Endpoint; readonly name: string }[],
): NetworkInspect {
  const options =
    network.builtin && network.bridge !== undefined
      ? { 'com.docker.network.bridge.name': network.bridge }
      : network.options;
  return {
    Name: network.name,
    Id: network.id,
    Created: network.createdAt,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv6: network.ipv6,
    IPAM: { Driver: 'default', Options: network.ipamOptions, Config: network.subnets },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      endpoints.map(({ endpoint, name }) => [endpoint.containerId, containerView(network, endpoint, name)]),
    ),
    Options: options,
    Labels: network.labels,
  };
}

function containerView(network: Network, endpoint: Endpoint, name: string): NetworkContainer {
  const shown = (address: string, family: 4 | 6) =>
    address === '' ? '' : `${address}/${prefixOf(subnetOf(network, family))}`;
  return {
    Name: name,
    EndpointID: endpoint.id,
    MacAddress: endpoint.mac,
    IPv4Address: shown(endpoint.address, 4),
    IPv6Address: shown(endpoint.address6, 6),
  };
}

/** A container's endpoint as inspect of the container shows it. */
export function endpointView(options: {
  readonly attachment: Attachment;
  readonly network: Network | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly identity: Identity | undefined;
  readonly containerId: string;
}): EndpointSettings {
  const { attachment, network, endpoint, identity, containerId } = options;
  const { wish } = attachment;
  const userDefined = network?.builtin === false;
  const [v4, v6] = ([4, 6] as const).map((family) => network && subnetOf(network, family));
  const aliases = userDefined ? [...new Set([...(wish.Aliases ?? []), containerId.slice(0, SHORT_ID)])] : [];
  const has4 = endpoint !== undefined && endpoint.address !== '';
  const has6 = endpoint !== undefined && endpoint.address6 !== '';
  return {
    IPAMConfig: wish.IPAMConfig ?? (userDefined && endpoint !== undefined ? {} : null),
    Links: wish.Links ?? null,
    Aliases: aliases.length > 0 ? aliases : null,
    DriverOpts: wish.DriverOpts ?? null,
    DNSNames: userDefined && identity ? [...new Set([identity.name, ...aliases, identity.hostname])] : null,
    NetworkID: attachment.networkId,
    EndpointID: endpoint?.id ?? '',
    Gateway: has4 && network?.internal !== true ? (v4?.Gateway ?? '') : '',
    IPAddress: endpoint?.address ?? '',
    IPPrefixLen: has4 ? prefixOf(v4) : 0,
    IPv6Gateway: has6 && network?.internal !== true ? (v6?.Gateway ?? '') : '',
    GlobalIPv6Address: endpoint?.address6 ?? '',
    GlobalIPv6PrefixLen: has6 ? prefixOf(v6) : 0,
    MacAddress: endpoint?.mac || (wish.MacAddress ?? ''),
  };
}

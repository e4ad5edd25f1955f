import type { EndpointSettings, Labels } from '../wire.ts';

/** Networks, as the Docker Engine API v1.47 names what belongs to them. */

export type IpamConfig = {
  readonly Subnet?: string;
  readonly IPRange?: string;
  readonly Gateway?: string;
  readonly AuxiliaryAddresses?: Labels | null;
};

export type Ipam = {
  readonly Driver?: string;
  readonly Options?: Labels | null;
  readonly Config?: readonly IpamConfig[] | null;
};

/** The body of `POST /networks/create`. */
export type CreateNetworkBody = {
  readonly Name: string;
  readonly Driver?: string;
  readonly CheckDuplicate?: boolean;
  readonly Internal?: boolean;
  readonly Attachable?: boolean;
  readonly Ingress?: boolean;
  readonly EnableIPv6?: boolean;
  readonly EnableIPv4?: boolean;
  readonly IPAM?: Ipam | null;
  readonly Options?: Labels | null;
  readonly Labels?: Labels | null;
  readonly [field: string]: unknown;
};

/** A container on a network, as inspect of the network shows it. Addresses with their prefix. */
export type NetworkContainer = {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  readonly IPv4Address: string;
  readonly IPv6Address: string;
};

export type NetworkInspect = {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: string;
  readonly Driver: string;
  /** From API 1.48 on. */
  readonly EnableIPv4?: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM: Ipam;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: { readonly Network: string };
  readonly ConfigOnly: boolean;
  readonly Containers: Readonly<Record<string, NetworkContainer>>;
  readonly Options: Labels | null;
  readonly Labels: Labels | null;
};

/** What a client asks of an endpoint. */
export type EndpointWish = Partial<EndpointSettings>;

/** The body of `POST /networks/{id}/connect`. */
export type ConnectNetworkBody = {
  readonly Container: string;
  readonly EndpointConfig?: EndpointWish | null;
};

/** The body of `POST /networks/{id}/disconnect`. */
export type DisconnectNetworkBody = { readonly Container: string; readonly Force?: boolean };

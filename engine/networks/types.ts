import type { Filters } from '../api/fields.ts';
import type { CreateNetworkBody, EndpointWish, IpamConfig, NetworkInspect } from '../api/wire/networks.ts';
import type { EndpointSettings, Labels } from '../api/wire.ts';
import type { PortWish, PublishedPort } from './ports/types.ts';

export type Driver = 'bridge' | 'host' | 'null' | 'macvlan';

/** A network as the engine holds it. */
export type Network = {
  readonly id: string;
  readonly name: string;
  readonly driver: Driver;
  /** RFC 3339. */
  readonly createdAt: string;
  /** One of the three that every engine has. */
  readonly builtin: boolean;
  /** Subnets with their gateways; none on `host`, `none` and a default bridge that was not needed yet. */
  readonly subnets: readonly IpamConfig[];
  /** Somebody chose a subnet: addresses may be chosen too. */
  readonly subnetsGiven: boolean;
  readonly ipamOptions: Labels | null;
  /** Name of the bridge's interface. */
  readonly bridge: string | undefined;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ipv6: boolean;
  readonly options: Labels;
  readonly labels: Labels;
};

/** What a container is to have of a network, whether it runs or not. */
export type Attachment = {
  readonly networkId: string;
  /** Its name when the container came to it: the network may be gone. */
  readonly networkName: string;
  readonly wish: EndpointWish;
};

/** What a running container has of a network. */
export type Endpoint = {
  readonly id: string;
  readonly networkId: string;
  readonly containerId: string;
  /** Empty where it has none. */
  readonly address: string;
  readonly address6: string;
  readonly mac: string;
  /** Empty on macvlan: nothing of it is on the host. */
  readonly hostInterface: string;
  /** `eth0`; empty on `host` and `none`. */
  readonly interface: string;
};

/** The names under which others on its networks know a container, and whom it asks for theirs. */
export type Identity = {
  readonly name: string;
  readonly hostname: string;
  /** Name servers of its own; the host's where there are none. */
  readonly nameServers: readonly string[];
};

/** A container that runs: the file that keeps its network namespace, its names, and the ports that it wants published. */
export type Sandbox = {
  readonly path: string;
  readonly identity: Identity;
  readonly ports: readonly PortWish[];
};

/** What a container's process is given. */
export type Connection = {
  /** Path of the network namespace to join; undefined for the host's own. */
  readonly namespace: string | undefined;
};

/** A network that a container has an endpoint on, for what is written into its files. */
export type Joined = { readonly network: Network; readonly endpoint: Endpoint };

/** The networks of one engine, and what its containers hold of them. */
export type Networks = {
  /** The network that a container's `NetworkMode` means. Throws `notFound`. */
  named(mode: string): Network;

  /** Notes what a new container is to have, in the order of its interfaces. Throws what `connect` does. */
  attach(
    containerId: string,
    wishes: readonly { readonly network: Network; readonly wish: EndpointWish }[],
  ): void;
  /** Forgets a container that is removed. */
  forget(containerId: string): void;

  /**
   * Makes the namespace at `path` with an interface for each network that the container is attached to. Leaves nothing
   * when it fails. Throws `conflict` where an address or a port is in use, `notFound` where a network is gone.
   */
  start(request: Sandbox & { readonly containerId: string }): Promise<Connection>;
  /**
   * Takes back what `start` gave. Nothing where there is nothing. `shared`: others live in the namespace, so that it
   * goes on, without the interfaces.
   */
  stop(containerId: string, path: string, options?: { readonly shared?: boolean }): Promise<void>;

  /**
   * Attaches a container to one more network; plugs it in where it runs. Throws `forbidden` where it is on it,
   * `invalid` for a wish that can't be granted.
   */
  connect(containerId: string, network: Network, wish: EndpointWish): Promise<void>;
  /** The reverse. Throws `invalid` where it isn't on it. */
  disconnect(containerId: string, network: Network): Promise<void>;
  /** Others know the container by this name from now on. */
  rename(containerId: string, name: string): void;

  /** The container's endpoints by network name, for inspect. */
  endpointsOf(containerId: string): Readonly<Record<string, EndpointSettings>>;
  /** What it has while it runs, in the order of its interfaces. */
  joinedBy(containerId: string): readonly Joined[];
  /** The host's ports that lead to it. */
  portsOf(containerId: string): readonly PublishedPort[];
  /** Which networks a container is attached to. */
  attachmentsOf(containerId: string): readonly Attachment[];

  create(body: CreateNetworkBody): Promise<{ readonly network: Network; readonly warning: string }>;
  /** Throws `forbidden` where containers use it, or the engine needs it. */
  remove(name: string): Promise<Network>;
  /** Removes those that no container is attached to; gives them. */
  prune(filter: Filters): Promise<readonly Network[]>;
  list(filter?: Filters): readonly NetworkInspect[];
  /** By name, id, or unique prefix of an id. Throws `notFound`. */
  find(name: string): Network;
  byId(id: string): Network | undefined;
  inspect(name: string): NetworkInspect;

  /** Brings the kernel in line with the rows: `running` are the containers that run, with their namespaces; `containers` all there are. */
  recover(running: ReadonlyMap<string, Sandbox>, containers: ReadonlySet<string>): Promise<void>;
  /** Looks after the rules no longer, and leaves everything as it is: another is opened in its place. */
  leave(): Promise<void>;
  /** Takes bridges and rules away; for an engine that ends while no container runs. */
  close(): Promise<void>;
};

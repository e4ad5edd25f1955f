import type { EndpointSettings } from '../api/wire.ts';

/** Where a container's network comes from. `host` shares the host's own. */
export type NetworkMode = 'bridge' | 'none' | 'host';

/** What a container's process is given. */
export type Connection = {
  /** Path of the network namespace to join; undefined for the host's own. */
  readonly namespace: string | undefined;
  /** Its address on the network; undefined on `none` and `host`. */
  readonly address: string | undefined;
};

/** A network as the Engine API shows it. */
export type NetworkView = Readonly<Record<string, unknown>> & {
  readonly Name: string;
  readonly Id: string;
  readonly Driver: string;
};

/** The networks of one engine, and what its containers hold of them. */
export type Networks = {
  /** Which mode a container's `NetworkMode` means. Throws `notFound` for a network that isn't there. */
  modeOf(name: string): NetworkMode;
  /** Makes the namespace at `path` and, on a bridge, the interface with its address. Leaves nothing when it fails. */
  connect(request: {
    readonly containerId: string;
    readonly mode: NetworkMode;
    readonly path: string;
    /** MAC address of its interface; made from its address where it is not given. */
    readonly mac?: string | undefined;
  }): Promise<Connection>;
  /**
   * Takes back what `connect` gave. Nothing where there is nothing. `shared`: others live in the namespace, so that it
   * goes on, without the interface.
   */
  disconnect(containerId: string, path: string, options?: { readonly shared?: boolean }): Promise<void>;
  /** The container's endpoints by network name, for inspect; none for one on another container's network. */
  endpointsOf(containerId: string, mode: string): Readonly<Record<string, EndpointSettings>>;
  list(): readonly NetworkView[];
  /** By name, id, or unique prefix of an id. Throws `notFound`. */
  inspect(name: string): NetworkView;
  /** Drops the endpoints of containers that no longer run, and makes sure that the others' bridge is there. */
  recover(running: ReadonlySet<string>): Promise<void>;
  /** Takes the bridge and its rules away; for an engine that ends while no container runs. */
  close(): Promise<void>;
};

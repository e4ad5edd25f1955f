/** A port that a container wants published: a binding of `PortBindings`, read. */
export type PortWish = {
  readonly protocol: Protocol;
  readonly containerPort: number;
  /** An address of the host; empty for all, of both kinds. */
  readonly address: string;
  /** The host's ports that will do, from `first` to `last`; 0 and 0 for any that is free. */
  readonly first: number;
  readonly last: number;
};

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** A port of the host's that leads to one of a container. */
export type PublishedPort = {
  readonly protocol: Protocol;
  readonly containerPort: number;
  /** `0.0.0.0` or `::` for all of that kind. */
  readonly address: string;
  readonly port: number;
};

/** Where a container is reached: its addresses on the network that leads out. Empty where it has none of that kind. */
export type Target = { readonly address: string; readonly address6: string };

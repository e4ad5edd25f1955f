/** What the engine tells the thread that answers DNS. */

/** A container that asks: its sockets, on its own loopback, and whom it asks for other names. */
export type Opened = {
  readonly kind: 'open';
  readonly containerId: string;
  readonly udp: number;
  readonly tcp: number;
  /** Name servers of its own; the host's where there are none. */
  readonly servers: readonly string[];
};
export type Closed = { readonly kind: 'close'; readonly containerId: string };

/** A container's endpoint on a network: how it is called there, and how it calls others (`--link`). */
export type JoinedNetwork = {
  readonly kind: 'join';
  readonly containerId: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly internal: boolean;
  readonly names: readonly string[];
  readonly addresses: readonly string[];
  readonly links: readonly { readonly alias: string; readonly name: string }[];
};
export type LeftNetwork = {
  readonly kind: 'leave';
  readonly containerId: string;
  readonly networkId: string;
};

export type Told = Opened | Closed | JoinedNetwork | LeftNetwork;

/** The thread's module: as the engine itself is, built or source. */
export function dnsWorkerUrl(): URL {
  const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './dns-worker.cjs';
  return new URL(name, import.meta.url);
}

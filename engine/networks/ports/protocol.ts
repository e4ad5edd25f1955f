/** What the engine tells the thread that carries what the kernel can't. */

/** A socket of a published port, of which the thread is the owner from now on, and where it leads. */
export type Opened = {
  readonly kind: 'open';
  /** By which both know it. */
  readonly id: number;
  readonly protocol: 'tcp' | 'udp';
  readonly fd: number;
  /** Whether the socket is of IPv6. */
  readonly six: boolean;
  readonly to: Destination;
};
/** It leads elsewhere from now on. Connections that there are go on. */
export type Aimed = { readonly kind: 'aim'; readonly id: number; readonly to: Destination };
/** It is answered with the number, once the socket is closed. */
export type Closed = { readonly kind: 'close'; readonly id: number };
/** Who is not served, from now on: those on networks that lead nowhere. The thread begins with nobody. */
export type KeptOut = {
  readonly kind: 'keepOut';
  /** `10.1.0.0/24`. */
  readonly subnets: readonly string[];
  /** Interfaces that their addresses of the link belong to. */
  readonly bridges: readonly string[];
};
export type Destination = { readonly address: string; readonly port: number };

export type Told = Opened | Aimed | Closed | KeptOut;

/** The thread's module: as the engine itself is, built or source. */
export function portsWorkerUrl(): URL {
  const name = import.meta.url.endsWith('.ts') ? './worker.ts' : './ports-worker.cjs';
  return new URL(name, import.meta.url);
}

import { Worker } from 'node:worker_threads';
import type { Network } from '../types.ts';
import type { Claim } from './claims.ts';
import { portsWorkerUrl, type Told } from './protocol.ts';
import type { PublishedPort, Target } from './types.ts';

/** The thread that serves the sockets of published ports: see worker.ts. It is started with the first of them. */
export type Carrier = {
  /** Takes over the sockets of claims; gives the claims as they are then. */
  open(claims: readonly Claim[], target: Target): readonly Held[];
  /** Does not serve who is on these networks, from now on. */
  keepOut(networks: readonly Pick<Network, 'bridge' | 'subnets'>[]): void;
  /** They lead elsewhere from now on. */
  aim(held: readonly Held[], target: Target): void;
  /** The sockets are closed when it is done: their ports are free. */
  close(held: readonly Held[]): Promise<void>;
  end(): Promise<void>;
};

/** A claim of which the thread may have the socket; it knows it by this number. */
export type Held = Claim & { readonly id: number | undefined };

export function openCarrier(warn: (message: string) => void): Carrier {
  let worker: Worker | undefined;
  let lastId = 0;
  let keptOut: Told = { kind: 'keepOut', subnets: [], bridges: [] };
  const closing = new Map<number, () => void>();

  function tell(told: Told): void {
    if (worker === undefined) {
      worker = startWorker();
      worker.postMessage(keptOut);
    }
    worker.postMessage(told);
  }

  function startWorker(): Worker {
    const started = new Worker(portsWorkerUrl(), { name: 'berth ports', trackUnmanagedFds: false });
    started.unref();
    started.on('message', (id: number) => closed(id));
    started.on('error', (error: Error) => {
      warn(`the thread of published ports ended: ${error.stack ?? error.message}`);
      // Its sockets went with it. What the kernel's rules carry goes on.
      worker = undefined;
      for (const id of [...closing.keys()]) closed(id);
    });
    return started;
  }

  function closed(id: number): void {
    closing.get(id)?.();
    closing.delete(id);
    // While somebody waits for it, it keeps the engine from ending.
    if (closing.size === 0) worker?.unref();
  }

  return {
    open: (claims, target) =>
      claims.map((claim) => {
        const { fd, protocol, address } = claim;
        if (fd === undefined || protocol === 'sctp') return { ...claim, id: undefined };
        lastId += 1;
        const to = destination(claim, target);
        tell({ kind: 'open', id: lastId, protocol, fd, six: address.includes(':'), to });
        return { ...claim, fd: undefined, id: lastId };
      }),
    keepOut(networks) {
      keptOut = {
        kind: 'keepOut',
        subnets: networks.flatMap(({ subnets }) => subnets.flatMap(({ Subnet }) => Subnet || [])),
        bridges: networks.flatMap(({ bridge }) => bridge || []),
      };
      worker?.postMessage(keptOut);
    },
    aim(held, target) {
      for (const port of held)
        if (port.id !== undefined) tell({ kind: 'aim', id: port.id, to: destination(port, target) });
    },
    async close(held) {
      if (worker === undefined) return;
      await Promise.all(
        held.flatMap(({ id }) => {
          if (id === undefined) return [];
          const { promise, resolve } = Promise.withResolvers<void>();
          closing.set(id, resolve);
          worker?.ref();
          tell({ kind: 'close', id });
          return [promise];
        }),
      );
    },
    async end() {
      await worker?.terminate();
      worker = undefined;
    },
  };
}

/** The container's address of the kind that was asked on, else its other one. */
function destination(
  { address, containerPort: port }: Pick<PublishedPort, 'address' | 'containerPort'>,
  target: Target,
) {
  const [first, second] = address.includes(':')
    ? [target.address6, target.address]
    : [target.address, target.address6];
  return { address: first || second, port };
}

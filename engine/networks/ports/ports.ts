import { BerthError } from '../../api/errors.ts';
import { forgetFlows } from '../../host/conntrack.ts';
import type { Firewall } from '../firewall.ts';
import type { NetworkStore } from '../store.ts';
import { type Carrier, type Held, openCarrier } from './carrier.ts';
import { openClaims } from './claims.ts';
import { publishedItems } from './items.ts';
import type { PortWish, PublishedPort, Target } from './types.ts';

/** So that one container can't take all of the engine's descriptors. */
const MAX_PORTS = 4_096;

type Publication = { held: readonly Held[]; target: Target };

/** The ports of the host's that lead to running containers. */
export type Ports = {
  /**
   * Publishes what a container wants, where it is reached at `target`; where it has ports already, they lead there
   * from now on. Throws `conflict` where a port is in use, `invalid` for an address that the host hasn't; nothing is
   * published then.
   */
  publish(containerId: string, wishes: readonly PortWish[], target: Target): void;
  /** Takes all of a container's back; its ports are free when it is done. */
  withdraw(containerId: string): Promise<void>;
  of(containerId: string): readonly PublishedPort[];
  /** Those on these networks reach no published port: they lead nowhere. What the kernel carries its rules keep. */
  keepOut: Carrier['keepOut'];
  /** Takes up what the rows say of a container that runs. */
  resume(containerId: string, target: Target): void;
  end(): Promise<void>;
};

export function openPorts(
  store: Pick<NetworkStore, 'publishedOf' | 'setPublished'>,
  firewall: Firewall,
  warn: (message: string) => void,
): Ports {
  const claims = openClaims();
  const carrier = openCarrier(warn);
  const publications = new Map<string, Publication>();

  function lead(containerId: string, { held, target }: Publication): void {
    publications.set(containerId, { held, target });
    firewall.add(held.flatMap((port) => publishedItems(port, target)));
    forgetFlows(held);
  }

  function aim(containerId: string, { held, target: from }: Publication, target: Target): void {
    if (from.address === target.address && from.address6 === target.address6) return;
    firewall.remove(held.flatMap((port) => publishedItems(port, from)));
    carrier.aim(held, target);
    lead(containerId, { held, target });
  }

  return {
    publish(containerId, wishes, target) {
      const there = publications.get(containerId);
      if (there !== undefined) return aim(containerId, there, target);
      if (wishes.length === 0) return;
      if (wishes.length > MAX_PORTS) {
        throw new BerthError(
          'invalid',
          `${wishes.length} ports are more than a container can publish (${MAX_PORTS})`,
          { hint: '--network host shares all ports of the host' },
        );
      }
      const claimed = claims.claim(containerId, wishes);
      store.setPublished(containerId, claimed.map(plain));
      lead(containerId, { held: carrier.open(claimed, target), target });
    },

    async withdraw(containerId) {
      const there = publications.get(containerId);
      publications.delete(containerId);
      if (there !== undefined) {
        const { held, target } = there;
        firewall.remove(held.flatMap((port) => publishedItems(port, target)));
        forgetFlows(held);
        await carrier.close(held);
        claims.drop(held);
      }
      store.setPublished(containerId, []);
    },

    keepOut: carrier.keepOut,

    of: (containerId) => store.publishedOf(containerId),

    resume(containerId, target) {
      const claimed = store.publishedOf(containerId).map((port) =>
        claims.resume(containerId, port, (error) => {
          const { address, port: number, protocol } = port;
          warn(`${protocol} port ${number} at ${address} of ${containerId} is not held: ${String(error)}`);
        }),
      );
      if (claimed.length > 0) lead(containerId, { held: carrier.open(claimed, target), target });
    },

    async end() {
      // Sockets that the thread has not taken over yet would outlive it.
      await Promise.all([...publications.values()].map(({ held }) => carrier.close(held)));
      await carrier.end();
      for (const { held } of publications.values()) claims.drop(held);
      publications.clear();
    },
  };
}

const plain = ({ protocol, containerPort, address, port }: PublishedPort): PublishedPort => ({
  protocol,
  containerPort,
  address,
  port,
});

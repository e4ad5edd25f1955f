import { Worker } from 'node:worker_threads';
import { inNetworkNamespace } from '../../host/network-namespace.ts';
import { redirectDns } from '../../host/nft-redirect.ts';
import { bindSocket, closeSocket } from '../../host/sockets.ts';
import type { Endpoint, Identity, Network } from '../types.ts';
import { dnsWorkerUrl, type Told } from './protocol.ts';

/** Where a container finds its name server, as docker has it. */
export const DNS_ADDRESS = '127.0.0.11';
/** Name of the table in the container's own namespace. */
const TABLE = 'berth_dns';
const SHORT_ID = 12;
/** Room for questions that come while the thread has no processor: a few thousand. */
const QUEUE_BYTES = 2 ** 21;

/** The name server of the containers on networks of users. Its thread is started with the first of them. */
export type DnsServer = {
  /** Begins to answer in the namespace at `path`. Again is no harm. */
  open(containerId: string, path: string, servers: readonly string[]): void;
  close(containerId: string): void;
  join(network: Network, endpoint: Endpoint, of: { readonly identity: Identity; readonly wish: Wish }): void;
  leave(endpoint: Endpoint): void;
  end(): Promise<void>;
};

type Wish = { readonly Aliases?: readonly string[] | null; readonly Links?: readonly string[] | null };

export function openDnsServer(warn: (message: string) => void): DnsServer {
  let worker: Worker | undefined;
  const open = new Set<string>();

  function tell(told: Told): void {
    if (worker === undefined) {
      worker = new Worker(dnsWorkerUrl(), { name: 'berth dns', trackUnmanagedFds: false });
      worker.unref();
      worker.on('error', (error: Error) => warn(`the name server ended: ${error.stack ?? error.message}`));
    }
    worker.postMessage(told);
  }

  return {
    open(containerId, path, servers) {
      if (open.has(containerId)) return;
      const [udp, tcp] = inNetworkNamespace(path, () => {
        const first = bindSocket({
          protocol: 'udp',
          address: DNS_ADDRESS,
          port: 0,
          receiveBytes: QUEUE_BYTES,
        });
        try {
          const second = bindSocket({ protocol: 'tcp', address: DNS_ADDRESS, port: 0 });
          redirectDns({ table: TABLE, address: DNS_ADDRESS, udpPort: first.port, tcpPort: second.port });
          return [first.fd, second.fd];
        } catch (error) {
          closeSocket(first.fd);
          throw error;
        }
      });
      open.add(containerId);
      tell({ kind: 'open', containerId, udp: udp ?? -1, tcp: tcp ?? -1, servers });
    },
    close(containerId) {
      if (open.delete(containerId)) tell({ kind: 'close', containerId });
    },
    join(network, endpoint, { identity, wish }) {
      const { containerId, address, address6 } = endpoint;
      const names = [
        identity.name,
        ...(wish.Aliases ?? []),
        containerId.slice(0, SHORT_ID),
        identity.hostname,
      ];
      tell({
        kind: 'join',
        containerId,
        networkId: network.id,
        networkName: network.name,
        internal: network.internal,
        names: [...new Set(names.filter((name) => name !== ''))],
        addresses: [address, address6].filter((each) => each !== ''),
        links: (wish.Links ?? []).map((link) => {
          const [name = '', alias = name] = link.split(':');
          return { name, alias };
        }),
      });
    },
    leave({ containerId, networkId }) {
      if (worker !== undefined) tell({ kind: 'leave', containerId, networkId });
    },
    async end() {
      await worker?.terminate();
      worker = undefined;
      open.clear();
    },
  };
}

import { BerthError } from '../api/errors.ts';
import type { ConnectNetworkBody, DisconnectNetworkBody } from '../api/wire/networks.ts';
import type { Network } from '../networks/types.ts';
import { endpointShape, parseOrThrow } from './body.ts';
import type { Context } from './context.ts';
import { cannotShare } from './endpoint-wishes.ts';
import { updateFiles } from './links.ts';
import { recordAttachment } from './network-events.ts';
import { type ContainerRecord, exclusively } from './record.ts';
import { requireThere } from './rename.ts';

export type NetworkingApi = {
  /**
   * Brings a container onto a network, live where it runs. Throws `notFound`, `forbidden` where it is on it, `invalid`
   * for what the network can't grant and for containers that have no network of their own.
   */
  connectNetwork(network: string, body: ConnectNetworkBody): Promise<void>;
  /** Takes it off. Throws `notFound`, `invalid` where it isn't on it. */
  disconnectNetwork(network: string, body: DisconnectNetworkBody): Promise<void>;
};

export function containerNetworking(context: Context): NetworkingApi {
  const { networks, store } = context;
  return {
    async connectNetwork(name, { Container = '', EndpointConfig }) {
      const network = networks.find(name);
      const wish = parseOrThrow(endpointShape, EndpointConfig ?? {});
      const record = store.find(Container);
      await exclusively(record, async () => {
        requireThere(context, record);
        refuseShared(record);
        if (network.driver === 'host') throw cannotShare(network);
        refuseAlone(network, record);
        await networks.connect(record.id, network, wish as Parameters<typeof networks.connect>[2]);
        if (record.life.status !== 'running') return;
        await updateFiles(context, record);
        recordAttachment(context, record, { action: 'connect', network });
      });
    },

    async disconnectNetwork(name, { Container = '' }) {
      const network = networks.find(name);
      const record = store.find(Container);
      await exclusively(record, async () => {
        requireThere(context, record);
        if (network.driver === 'host') throw cannotShare(network);
        if (!networks.attachmentsOf(record.id).some(({ networkId }) => networkId === network.id)) {
          throw new BerthError(
            'forbidden',
            `container ${record.id} is not connected to network ${network.name}`,
            { hint: `berth network inspect ${network.name} lists those that are` },
          );
        }
        await networks.disconnect(record.id, network);
        if (record.life.status !== 'running') return;
        await updateFiles(context, record);
        recordAttachment(context, record, { action: 'disconnect', network });
      });
    },
  };

  /** `none` and another network don't go together. */
  function refuseAlone(network: Network, record: ContainerRecord): void {
    for (const { networkId } of networks.attachmentsOf(record.id)) {
      const other = networks.byId(networkId);
      if (other === undefined || other.id === network.id) continue;
      if (network.driver === 'null') throw cannotShare(network);
      if (other.driver === 'null' || other.driver === 'host') throw cannotShare(other);
    }
  }
}

function refuseShared({ hostConfig }: ContainerRecord): void {
  const mode = hostConfig.NetworkMode ?? '';
  if (!mode.startsWith('container:')) return;
  throw new BerthError(
    'invalid',
    'container sharing network namespace with another container or host cannot be connected to any other network',
    { hint: `connect ${mode.slice('container:'.length)} instead` },
  );
}

import type { Network } from '../networks/types.ts';
import type { Context } from './context.ts';
import type { ContainerRecord } from './record.ts';

/** Writes that a container came onto its networks or left them, as dockerd does for each run. */
export function recordNetwork(
  context: Context,
  record: ContainerRecord,
  action: 'connect' | 'disconnect',
): void {
  // One that joined another's has none of its own.
  for (const { networkId } of context.networks.attachmentsOf(record.id)) {
    const network = context.networks.byId(networkId);
    if (network !== undefined) recordAttachment(context, record, { action, network });
  }
}

/** The same of one network. */
export function recordAttachment(
  { events }: Pick<Context, 'events'>,
  record: ContainerRecord,
  { action, network }: { readonly action: 'connect' | 'disconnect'; readonly network: Network },
): void {
  const { id, name, driver } = network;
  events.record({ type: 'network', action, id, attributes: { container: record.id, name, type: driver } });
}

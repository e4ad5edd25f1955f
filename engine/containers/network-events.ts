import type { Context } from './context.ts';
import type { ContainerRecord } from './record.ts';

/** Writes that a container came onto its network or left it, as dockerd does for each run. */
export function recordNetwork(
  context: Context,
  record: ContainerRecord,
  action: 'connect' | 'disconnect',
): void {
  const mode = record.hostConfig.NetworkMode ?? '';
  // One that joined another's comes onto no network of its own.
  if (mode.startsWith('container:')) return;
  const { Id, Name, Driver } = context.networks.inspect(mode);
  context.events.record({
    type: 'network',
    action,
    id: Id,
    attributes: { container: record.id, name: Name, type: Driver },
  });
}

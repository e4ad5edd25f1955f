import { BerthError } from '../api/errors.ts';
import type { HostConfig } from '../api/wire.ts';
import type { SharedMemory } from '../runtime/mounts.ts';
import type { NamespaceChoice } from '../runtime/namespaces.ts';
import { type Context, pathsOf } from './context.ts';
import { containerOf } from './host-config/modes.ts';
import type { ContainerRecord, ContainerStore } from './record.ts';

const modes = { NetworkMode: 'network mode', IpcMode: 'IPC mode', PidMode: 'PID mode' } as const;
type SharedMode = keyof typeof modes;

/** The container whose namespace this one joins, by what its HostConfig says; undefined where it joins none. */
export function donorOf(
  store: ContainerStore,
  host: HostConfig,
  mode: SharedMode,
): ContainerRecord | undefined {
  const name = containerOf(host[mode], modes[mode]);
  return name === undefined ? undefined : store.find(name);
}

/** Modes that name a container (`container:web`) with its id instead. Throws `invalid` where there is none. */
export function settleDonors(store: ContainerStore, host: HostConfig): HostConfig {
  const settled = Object.keys(modes).flatMap((mode) => {
    const donor = mustBeThere(() => donorOf(store, host, mode as SharedMode));
    return donor === undefined ? [] : [[mode, `container:${donor.id}`]];
  });
  return { ...host, ...Object.fromEntries(settled) };
}

/**
 * What a create's body names beside the image. Throws `invalid` where it isn't there, as dockerd does: a 404 would make
 * clients pull the image.
 */
export function mustBeThere<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'notFound') throw error;
    throw new BerthError('invalid', error.message, { hint: error.hint, cause: error });
  }
}

/** The container that has the network of this one: itself, or the last of those that joined each other's. */
export function networkOwner(store: ContainerStore, record: ContainerRecord): ContainerRecord {
  const seen = new Set<ContainerRecord>();
  let owner = record;
  for (;;) {
    if (seen.has(owner)) throw new BerthError('invalid', `the network of ${record.name} leads in a circle`);
    seen.add(owner);
    const donor = donorOf(store, owner.hostConfig, 'NetworkMode');
    if (donor === undefined) return owner;
    owner = donor;
  }
}

/** The network namespace of a running container that another one joins. Throws `conflict` where it doesn't run. */
export function joinNetwork(donor: ContainerRecord): NamespaceChoice {
  if (donor.hostConfig.NetworkMode === 'host') return 'host';
  return namespaceOf(donor, 'net', `cannot join network of a non running container: ${donor.id}`);
}

/** PID and IPC namespace of a container that is about to start, and its /dev/shm. Throws `conflict` where a donor doesn't run. */
export function joinProcesses(
  context: Context,
  record: ContainerRecord,
): { readonly pid: NamespaceChoice; readonly ipc: NamespaceChoice; readonly sharedMemory: SharedMemory } {
  const { hostConfig } = record;
  const pidDonor = donorOf(context.store, hostConfig, 'PidMode');
  const pid =
    pidDonor === undefined
      ? hostConfig.PidMode === 'host'
        ? 'host'
        : 'own'
      : namespaceOf(pidDonor, 'pid', `cannot join PID of a non running container: ${pidDonor.id}`);
  return { pid, ...joinMemory(context, record) };
}

function joinMemory(
  context: Context,
  { id, hostConfig }: ContainerRecord,
): { readonly ipc: NamespaceChoice; readonly sharedMemory: SharedMemory } {
  const donor = donorOf(context.store, hostConfig, 'IpcMode');
  if (donor !== undefined) {
    const cannot = `can't join IPC of container ${donor.id}`;
    const ipc = namespaceOf(donor, 'ipc', `${cannot}: container ${donor.id} is not running`);
    if (donor.hostConfig.IpcMode === 'host') return { ipc: 'host', sharedMemory: { source: '/dev/shm' } };
    if (donor.hostConfig.IpcMode !== 'shareable') {
      throw new BerthError(
        'conflict',
        `${cannot}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
        { hint: 'create that one with --ipc shareable' },
      );
    }
    return { ipc, sharedMemory: { source: pathsOf(context, donor.id).shm } };
  }
  switch (hostConfig.IpcMode) {
    case 'host':
      return { ipc: 'host', sharedMemory: { source: '/dev/shm' } };
    case 'none':
      return { ipc: 'own', sharedMemory: 'none' };
    case 'shareable':
      return { ipc: 'own', sharedMemory: { source: pathsOf(context, id).shm } };
    default:
      return { ipc: 'own', sharedMemory: { bytes: shmBytes(hostConfig) } };
  }
}

const SHM_BYTES = 64 * 2 ** 20;

export function shmBytes(host: HostConfig): number {
  return host.ShmSize || SHM_BYTES;
}

function namespaceOf(
  donor: ContainerRecord,
  kind: 'net' | 'pid' | 'ipc',
  otherwise: string,
): NamespaceChoice {
  if (donor.life.status === 'running') return { path: `/proc/${donor.life.process.pid}/ns/${kind}` };
  throw new BerthError('conflict', otherwise, { hint: `berth start ${donor.name}` });
}

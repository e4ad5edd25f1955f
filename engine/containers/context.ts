import { join } from 'node:path';
import type { Events } from '../events/types.ts';
import type { ImageStore } from '../images/types.ts';
import type { Networks } from '../networks/types.ts';
import type { CgroupLayout } from '../runtime/cgroups.ts';
import type { OciRuntime } from '../runtime/oci.ts';
import type { VolumeKeeper } from '../volumes/types.ts';
import type { ExecStore } from './exec-store.ts';
import type { HealthStore } from './health-store.ts';
import type { Machine } from './host-config/machine.ts';
import type { ContainerRecord, ContainerStore } from './record.ts';

/** What the work on containers needs; made once by `openContainers`. */
export type Context = {
  /** State that outlives a reboot. */
  readonly root: string;
  /** State that does not: sockets, FIFOs, namespaces. */
  readonly runDir: string;
  readonly cgroups: CgroupLayout;
  /** The parent of all of the engine's cgroups, `/berth`. */
  readonly cgroupParent: string;
  /** What this machine's kernel can limit. */
  readonly machine: Machine;
  readonly images: Pick<ImageStore, 'resolve' | 'lowerDirs' | 'make'>;
  readonly networks: Networks;
  readonly volumes: VolumeKeeper;
  readonly runtime: OciRuntime;
  readonly conmon: string;
  readonly store: ContainerStore;
  readonly execs: ExecStore;
  readonly health: HealthStore;
  /** A null device for processes in containers; see `makeOwnNull`. */
  readonly nullDevice: string | undefined;
  readonly events: Pick<Events, 'record'>;
  /** Writes an event of a container, with Docker's attributes. */
  record(container: ContainerRecord, action: string, attributes?: Readonly<Record<string, string>>): void;
  /** Tells the operator of what no client waits for. */
  warn(message: string): void;
};

/** Where a container's files are. */
export type ContainerPaths = ReturnType<typeof pathsOf>;

export function pathsOf(context: Pick<Context, 'root' | 'runDir'>, id: string) {
  const root = join(context.root, 'containers', id);
  const bundle = join(context.runDir, 'containers', id);
  return {
    /** The container's directory: everything of it that outlives a reboot. */
    root,
    log: join(root, 'container.log'),
    upper: join(root, 'upper'),
    work: join(root, 'work'),
    rootfs: join(root, 'rootfs'),
    /** Where its layers are put together to be looked at while it stands still, in a namespace of a thread's own. */
    view: join(root, 'view'),
    hosts: join(root, 'hosts'),
    hostname: join(root, 'hostname'),
    resolvConf: join(root, 'resolv.conf'),
    /** Where a /dev/shm that other containers may share is mounted. */
    shm: join(root, 'shm'),
    /** There while a commit has its processes stand still. */
    committing: join(bundle, 'committing'),
    /** The bundle of one run: OCI spec, conmon's files, the network namespace. */
    bundle,
    netns: join(bundle, 'netns'),
    /** What is mounted here of volumes for a run: parts of them. */
    subpaths: join(context.runDir, 'subpaths', id),
    exitDir: join(context.runDir, 'exits'),
    exit: join(context.runDir, 'exits', id),
  };
}

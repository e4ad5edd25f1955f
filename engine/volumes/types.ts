import type { Filters } from '../api/fields.ts';
import type { Volume, VolumeCreateBody, VolumeList, VolumesPruned } from '../api/wire/volumes.ts';
import type { Labels } from '../api/wire.ts';
import type { Look } from '../state/faults.ts';

/** Options of the local driver as `volume create -o` takes them: those of mount(8). */
export type LocalOptions = Readonly<Record<string, string>>;

/** A volume that a container is to have; it is made where it isn't there. */
export type VolumeWish = {
  readonly name: string;
  /** For one that is not there: what it is made with. */
  readonly options?: LocalOptions | undefined;
  readonly labels?: Labels | undefined;
};

/** The volumes that a container which is being created will have. Disposing takes away those that were made for it. */
export type Claim = AsyncDisposable & {
  /** Writes down that they stay: to be called in the transaction in which the container's row is written. */
  keep(): void;
};

/** What the work on containers needs of volumes. */
export type VolumeKeeper = {
  /** Throws `invalid`, `notFound` for a driver that isn't there. */
  claim(wishes: readonly VolumeWish[]): Promise<Claim>;
  /**
   * Fills a volume that has nothing in it: `work` puts something into `_data` of the directory that it is given. Two
   * don't fill one volume at once. Where `work` fails or the engine ends, the volume has nothing in it again. The caller
   * holds it.
   */
  fill(name: string, work: (directory: string) => Promise<void>): Promise<void>;
  /** Whether it has nothing in it whenever nobody held it before: it is in memory. */
  forgets(name: string): boolean;
  /** Where a volume's files are. */
  mountpoint(name: string): string;
  /**
   * Mounts those of the volumes that have to be, for a holder's run. Holding twice is holding once. Throws `notFound`,
   * `unavailable` with the kernel's word where one can't be mounted; none is held then.
   */
  hold(names: readonly string[], holder: string): Promise<void>;
  /** Lets go of all that a holder holds; what nobody holds is unmounted. False where it held nothing. */
  release(holder: string): boolean;
  /** Removes those without a name that nobody else has. Never throws for one that can't go. */
  removeAnonymous(names: readonly string[]): Promise<void>;
  /**
   * Called once, before anything else. `held`: the volumes of each container that runs. `usersOf`: ids of the containers
   * that have a volume, from then on.
   */
  recover(containers: {
    readonly held: ReadonlyMap<string, readonly string[]>;
    readonly usersOf: (name: string) => readonly string[];
  }): Promise<void>;
};

/** The volumes of an engine. */
export type Volumes = VolumeKeeper & {
  /** Gives the one there is where it has that name. Throws `invalid`, `notFound` for a driver that isn't there. */
  create(body: VolumeCreateBody): Promise<Volume>;
  /** Throws `invalid` on an unknown filter. */
  list(filter: Filters): VolumeList;
  /** Throws `notFound`. */
  inspect(name: string): Volume;
  /** The same with what it takes, and how many containers have it. */
  inspectUsage(name: string): Promise<Volume>;
  /** Throws `notFound` unless `force`, `conflict` where a container has it. */
  remove(name: string, options: { readonly force: boolean }): Promise<void>;
  /** Throws `invalid` on an unknown filter. `all`: those with names too. */
  prune(filter: Filters, options: { readonly all: boolean }): Promise<VolumesPruned>;
  /** All of them, with what they take and how many containers have them. */
  usage(): Promise<readonly Volume[]>;
  /** What is to be looked at of volumes: their directories and mounts. */
  checks(): readonly Look[];
};

import type { Propagation } from '../../runtime/mounts.ts';

/** Something that is mounted into a container, as it was settled at its creation. */
export type ContainerMount = BindMount | VolumeMount | TmpfsMount;

type Common = {
  /** Absolute, without a slash at the end. */
  readonly destination: string;
  readonly readOnly: boolean;
};

export type BindMount = Common & {
  readonly type: 'bind';
  /** Absolute path on the host. */
  readonly source: string;
  /** What stood behind the second colon of a bind; empty for one that was given as an object. */
  readonly mode: string;
  readonly propagation: Propagation;
  /** What is mounted below the source is not seen. */
  readonly alone: boolean;
  /** A source that isn't there is made, as a directory. */
  readonly makesSource: boolean;
  /** Whether mounts below a read-only one are read-only too. */
  readonly readOnlyBelow: boolean;
};

export type VolumeMount = Common & {
  readonly type: 'volume';
  readonly name: string;
  /** What stood behind the second colon of a bind. */
  readonly mode: string;
  /** It was given no name: it goes with the container where that is asked for. */
  readonly anonymous: boolean;
  /** What the image has there is put into it where it has nothing in it. */
  readonly copies: boolean;
  /** A directory or file of the volume that is mounted in its stead; relative to it. */
  readonly subpath?: string;
  /** What it is made with where it isn't there. */
  readonly made?: {
    readonly options: Readonly<Record<string, string>>;
    readonly labels: Readonly<Record<string, string>>;
  };
};

export type TmpfsMount = Common & { readonly type: 'tmpfs'; readonly options: readonly string[] };

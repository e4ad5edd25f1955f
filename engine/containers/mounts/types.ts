import type { Propagation } from '../../runtime/mounts.ts';

/** Something that is mounted into a container, as it was settled at its creation. */
export type ContainerMount = BindMount | TmpfsMount;

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

export type TmpfsMount = Common & { readonly type: 'tmpfs'; readonly options: readonly string[] };

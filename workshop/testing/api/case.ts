import type { Subject } from './wire.ts';

/** What the suite needs beside the engine: a registry that it can pull from. */
export type Harbour = {
  /**
   * Host and port of a registry that has `busybox`, `pinned`, `listed`, `removed` and `pruned` below `harbour/`: images of their
   * own, none of them the engine's `busybox`.
   */
  readonly registry: string;
  /** One that has `harbour/locked:latest`, another image still, for those who say who they are. */
  readonly locked: { readonly host: string; readonly username: string; readonly password: string };
};

export type Case = (subject: Subject, harbour: Harbour) => Promise<void>;

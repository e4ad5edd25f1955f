import type { Subject } from './wire.ts';

/** What the suite needs beside the engine: a registry that it can pull from. */
export type Harbour = {
  /** Host and port of a registry that has `harbour/busybox:latest` and `harbour/pinned:latest`: two images, neither `busybox`. */
  readonly registry: string;
  /** One that has `harbour/locked:latest`, another image still, for those who say who they are. */
  readonly locked: { readonly host: string; readonly username: string; readonly password: string };
};

export type Case = (subject: Subject, harbour: Harbour) => Promise<void>;

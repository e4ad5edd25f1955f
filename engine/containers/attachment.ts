import type { StreamFrame } from '../api/multiplex.ts';

/** What a container writes, in the order it was written. With a terminal all of it is `stdout`. */
export type Output = AsyncIterable<StreamFrame>;

/** A client's hold on a container's streams. */
export type Attachment = {
  readonly tty: boolean;
  /** Ends when the container does, or when `close` is called. */
  readonly output: Output;
  /** Where a client's bytes go; undefined where the container's input is not open or was not asked for. */
  readonly input: NodeJS.WritableStream | undefined;
  /** To be called where the client typed the keys to detach: that is told. */
  readonly detached?: () => void;
  close(): void;
};

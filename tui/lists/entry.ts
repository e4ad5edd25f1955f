/** The lists there are. */
export type ViewName = 'containers' | 'images';

/** What the state of a thing looks like: a glyph and a colour, never a colour alone. */
export type Mark = 'running' | 'paused' | 'restarting' | 'created' | 'exited' | 'failed' | 'image';

/** A line of a list, formatted but not yet cut to the screen. */
export type Entry = {
  /** Says which thing it is, whatever its place in the list. */
  readonly key: string;
  /** What the engine calls it: a container's id; an image's reference, or its id where it has none. */
  readonly target: string;
  /** What people call it. */
  readonly name: string;
  readonly mark: Mark;
  readonly running: boolean;
  readonly cells: readonly string[];
  /** When one of the cells changes by itself, in milliseconds since 1970. */
  readonly changesAtMs: number;
};

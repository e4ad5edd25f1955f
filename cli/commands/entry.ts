import type { Command } from '../command.ts';

/** A command, as far as it is known without loading it. */
export type Entry = {
  /** Its name, then its other spellings. */
  readonly names: readonly [string, ...string[]];
  readonly summary: string;
  readonly group: 'Containers' | 'Images' | 'Networks' | 'Volumes' | 'Engine' | 'Faces';
  load(): Promise<{ readonly command: Command }>;
};

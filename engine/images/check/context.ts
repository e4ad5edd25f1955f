import type { LayerStore } from '../../layers/types.ts';
import type { Pins } from '../collect.ts';
import type { ImageUser } from '../types.ts';
import type { FetchContext } from './fetch.ts';

/** What a check of the images works on. */
export type CheckContext = FetchContext & {
  readonly layers: LayerStore;
  readonly pins: Pins;
  readonly usersOf: (imageId: string) => readonly ImageUser[];
  /** Younger things that no row names are let be. */
  readonly settledMs: number;
};

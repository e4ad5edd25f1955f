import type { ContainerSummary, ImageDeleted, ImageSummary } from '../wire.ts';
import type { Volume } from './volumes.ts';

/** What the engine holds on the disk. A kind that was not asked for is not counted. */
export type DiskUsage = {
  /** Bytes of all layers, each once. */
  readonly LayersSize?: number;
  /** With the sizes that they share, and how many containers use each. */
  readonly Images?: readonly ImageSummary[] | null;
  /** All of them, with their sizes. */
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly Volume[] | null;
  readonly BuildCache?:
    | readonly {
        readonly ID: string;
        readonly Type: string;
        readonly Size: number;
        readonly CreatedAt: string;
        readonly LastUsedAt?: string | null;
        readonly UsageCount: number;
        readonly InUse: boolean;
        readonly Shared: boolean;
      }[]
    | null;
  readonly BuilderSize?: number;
};

/** What a prune of images took away: names, ids and layers, or null for nothing. */
export type ImagesPruned = {
  readonly ImagesDeleted: readonly ImageDeleted[] | null;
  readonly SpaceReclaimed: number;
};
export type NetworksPruned = { readonly NetworksDeleted: readonly string[] | null };
export type BuildCachePruned = {
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
};

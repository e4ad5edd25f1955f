import type { Filters } from '../engine/api/fields.ts';
import { formatSize } from '../engine/api/sizes.ts';
import type { BuildCachePruned, ImagesPruned, NetworksPruned } from '../engine/api/wire/disk-usage.ts';
import type { ContainersPruned } from '../engine/api/wire/prune.ts';
import type { VolumesPruned } from '../engine/api/wire/volumes.ts';
import type { Flag } from './command.ts';

/** What prunes print, in docker's words. */

export const pruneFlags = {
  // No -f here: that is --force, as docker has it.
  filter: {
    type: 'filters',
    summary: 'Remove only what matches: label=KEY=VALUE, label!=KEY, until=24h',
    placeholder: 'KEY=VALUE',
  } as Flag<Filters>,
  force: { type: 'boolean', summary: 'Do not ask', short: 'f' } as Flag<boolean>,
};

const titled = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? '' : `${title}:\n${lines.join('\n')}\n\n`;

export const prunedContainers = ({ ContainersDeleted }: ContainersPruned) =>
  titled('Deleted Containers', ContainersDeleted ?? []);
export const prunedVolumes = ({ VolumesDeleted }: VolumesPruned) =>
  titled('Deleted Volumes', VolumesDeleted ?? []);
export const prunedNetworks = ({ NetworksDeleted }: NetworksPruned) =>
  titled('Deleted Networks', NetworksDeleted ?? []);
export const prunedImages = ({ ImagesDeleted }: ImagesPruned) =>
  titled(
    'Deleted Images',
    (ImagesDeleted ?? []).map((line) =>
      'Untagged' in line ? `untagged: ${line.Untagged}` : `deleted: ${line.Deleted}`,
    ),
  );
export const prunedBuilds = ({ CachesDeleted }: BuildCachePruned) =>
  titled('Deleted build cache objects', CachesDeleted ?? []);

export const reclaimed = (bytes: number) => `Total reclaimed space: ${formatSize(bytes, 4)}`;

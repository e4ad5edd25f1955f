import { formatSize } from '../engine/api/sizes.ts';
import type { DiskUsage } from '../engine/api/wire/disk-usage.ts';
import type { Volume } from '../engine/api/wire/volumes.ts';
import type { ContainerSummary, ImageSummary } from '../engine/api/wire.ts';
import { imageFields, rowsOf } from './commands/images.ts';
import { containerFields } from './container-fields.ts';
import { ago } from './duration.ts';
import type { ListFields, Listing } from './list-fields.ts';
import type { Output } from './output.ts';

/** The lists of `system df -v`, with docker's columns. */

type BuildCache = NonNullable<DiskUsage['BuildCache']>[number];

export function imageListing(images: readonly ImageSummary[]): Listing<ReturnType<typeof rowsOf>[number]> {
  return {
    rows: images.flatMap((image) => rowsOf(image, false)),
    fields: imageFields(false),
    columns: [
      ...['Repository', 'Tag', 'ID', 'CreatedSince', 'Size', 'SharedSize', 'UniqueSize'],
      'Containers',
    ],
  };
}

export function containerListing(
  containers: readonly ContainerSummary[],
  style: Output['style'],
): Listing<ContainerSummary> {
  return {
    // What they are made of is counted with the images.
    rows: containers.map((container) => ({ ...container, SizeRootFs: 0 })),
    fields: containerFields({ noTrunc: false, style }),
    columns: ['ID', 'Image', 'Command', 'LocalVolumes', 'Size', 'RunningFor', 'Status', 'Names'],
  };
}

export function volumeListing(volumes: readonly Volume[]): Listing<Volume> {
  return {
    rows: volumes,
    fields: volumeFields,
    columns: ['Name', 'Links', 'Size'],
  };
}

/** A volume's fields as `docker volume ls` names and words them. */
export const volumeFields: ListFields<Volume> = {
  Name: { title: 'VOLUME NAME', of: ({ Name }) => Name },
  Driver: { title: 'DRIVER', of: ({ Driver }) => Driver },
  Scope: { title: 'SCOPE', of: ({ Scope }) => Scope },
  Mountpoint: { title: 'MOUNTPOINT', of: ({ Mountpoint }) => Mountpoint },
  Labels: {
    title: 'LABELS',
    of: ({ Labels }) =>
      Object.entries(Labels ?? {})
        .map(([name, value]) => `${name}=${value}`)
        .join(','),
  },
  Links: { title: 'LINKS', of: ({ UsageData }) => String(UsageData?.RefCount ?? 'N/A') },
  Size: {
    title: 'SIZE',
    of: ({ UsageData }) => (UsageData == null ? 'N/A' : formatSize(Math.max(0, UsageData.Size))),
  },
  // Of volumes of a cluster.
  Availability: { title: 'AVAILABILITY', of: () => 'N/A' },
  Group: { title: 'GROUP', of: () => 'N/A' },
  Status: { title: 'STATUS', of: () => 'N/A' },
};

export function buildListing(caches: readonly BuildCache[]): Listing<BuildCache> {
  const since = (moment: string | null | undefined) => (moment ? ago(Date.parse(moment) / 1000) : '');
  return {
    rows: caches,
    fields: {
      ID: { title: 'CACHE ID', of: ({ ID, InUse }) => `${ID.slice(0, 12)}${InUse ? '*' : ''}` },
      CacheType: { title: 'CACHE TYPE', of: ({ Type }) => Type },
      Size: { title: 'SIZE', of: ({ Size }) => formatSize(Size) },
      CreatedSince: { title: 'CREATED', of: ({ CreatedAt }) => since(CreatedAt) },
      LastUsedSince: { title: 'LAST USED', of: ({ LastUsedAt }) => since(LastUsedAt) },
      UsageCount: { title: 'USAGE', of: ({ UsageCount }) => String(UsageCount) },
      Shared: { title: 'SHARED', of: ({ Shared }) => String(Shared) },
    },
    columns: ['ID', 'CacheType', 'Size', 'CreatedSince', 'LastUsedSince', 'UsageCount', 'Shared'],
  };
}

import { familiarName, parseReference } from '../engine/api/reference.ts';
import { formatSize } from '../engine/api/sizes.ts';
import type { ContainerSummary } from '../engine/api/wire.ts';
import { ago, goTime } from './duration.ts';
import type { ListFields } from './listing.ts';
import type { Output } from './output.ts';
import { shownPorts } from './ports.ts';
import { ellipsis, goQuote, shortId } from './printable.ts';

const COMMAND_CELLS = 20;
const MOUNT_CELLS = 15;

/** What `ps --format raw` stands for. */
export const RAW_CONTAINER = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
`;

export const containerLabels = ({ Labels }: ContainerSummary) => Labels;

/** A container's fields as `docker ps` names and words them. */
export function containerFields({
  noTrunc,
  style,
}: {
  noTrunc: boolean;
  style: Output['style'];
}): ListFields<ContainerSummary> {
  const cut = (text: string, cells: number) => (noTrunc ? text : ellipsis(text, cells));
  return {
    ID: { title: 'CONTAINER ID', of: ({ Id }) => (noTrunc ? Id : shortId(Id)) },
    Image: { title: 'IMAGE', of: (row) => shownImage(row, noTrunc) },
    Command: { title: 'COMMAND', of: ({ Command }) => goQuote(cut(Command, COMMAND_CELLS)) },
    CreatedAt: { title: 'CREATED AT', of: ({ Created }) => goTime(Created) },
    RunningFor: { title: 'CREATED', of: ({ Created }) => ago(Created) },
    State: { title: 'STATE', of: ({ State }) => State },
    Status: {
      title: 'STATUS',
      of: ({ Status }) => Status,
      paint: (cell, { State }) =>
        State === 'running' ? style.green(cell) : State === 'exited' ? style.dim(cell) : cell,
    },
    Ports: { title: 'PORTS', of: ({ Ports }) => shownPorts(Ports ?? []) },
    Names: { title: 'NAMES', of: ({ Names }) => shownNames(Names ?? [], noTrunc) },
    Labels: {
      title: 'LABELS',
      of: ({ Labels }) =>
        Object.entries(Labels ?? {})
          .map(([k, v]) => `${k}=${v}`)
          .toSorted()
          .join(','),
    },
    Mounts: {
      title: 'MOUNTS',
      of: ({ Mounts }) =>
        (Mounts ?? []).map(({ Name, Source }) => cut(Name || Source, MOUNT_CELLS)).join(','),
    },
    LocalVolumes: {
      title: 'LOCAL VOLUMES',
      of: ({ Mounts }) => String((Mounts ?? []).filter(({ Driver }) => Driver === 'local').length),
    },
    Networks: {
      title: 'NETWORKS',
      of: ({ NetworkSettings }) => Object.keys(NetworkSettings?.Networks ?? {}).join(','),
    },
    // Of engines that keep several platforms of an image; docker has nil elsewhere too.
    Platform: { title: 'PLATFORM', of: () => null },
    Size: { title: 'SIZE', of: shownSize },
  };
}

/** All names without their slash; of those that links gave, none where there is one of its own. */
function shownNames(all: readonly string[], noTrunc: boolean): string {
  const names = all.map((name) => name.replace(/^\//, ''));
  const own = noTrunc ? undefined : names.find((name) => !name.includes('/'));
  return own ?? names.join(',');
}

/** The image's name as people write it; its short id where the name has gone to another image since. */
function shownImage({ Image, ImageID }: ContainerSummary, noTrunc: boolean): string {
  if (Image === '') return '<no image>';
  if (noTrunc) return Image;
  if (shortId(Image) === shortId(ImageID)) return shortId(Image);
  try {
    const reference = parseReference(Image);
    const tag = /:[^/@]+(@|$)/.test(Image) && reference.tag !== undefined ? `:${reference.tag}` : '';
    return `${familiarName(reference)}${tag}`;
  } catch {
    // An engine may hold names that are none by our grammar: they are shown as they are.
    return Image;
  }
}

function shownSize({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const virtual = SizeRootFs > 0 ? ` (virtual ${formatSize(SizeRootFs)})` : '';
  return `${formatSize(SizeRw)}${virtual}`;
}

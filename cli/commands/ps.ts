import { operations } from '../../engine/api/operations.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import type { ContainerSummary, Port } from '../../engine/api/wire.ts';
import { defineCommand, type Flag } from '../command.ts';
import { ago, goTime } from '../duration.ts';
import { formatFlag, type ListFields, printListing } from '../listing.ts';
import type { Output } from '../output.ts';
import { ellipsis, shortId } from '../printable.ts';

const { all, limit, size, filter } = operations.containerList.query;
const COMMAND_CELLS = 20;

export const command = defineCommand({
  usage: '[FLAGS]',
  flags: {
    all,
    last: limit,
    size,
    filter,
    latest: { type: 'boolean', summary: 'Show only the newest one', short: 'l' } as Flag<boolean>,
    quiet: { type: 'boolean', summary: 'Print ids alone', short: 'q' } as Flag<boolean>,
    noTrunc: { type: 'boolean', summary: 'Show ids and commands whole' } as Flag<boolean>,
    format: formatFlag,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth ps -a --filter status=exited', does: 'Those that have ended' },
    { line: "berth ps --format '{{.Names}}: {{.Status}}'", does: 'Only what you want to know' },
    { line: 'berth ps --format json | jq -r .ID', does: 'For a program to read' },
  ],
  async run(context, { flags }) {
    const client = await context.connect();
    const { quiet, noTrunc = false, latest, last = latest ? 1 : undefined } = flags;
    const rows = await client.call(
      'containerList',
      {
        all: flags.all,
        // -1 is docker's «no limit».
        limit: last !== undefined && last > 0 ? last : undefined,
        size: flags.size || (flags.format?.includes('.Size') ?? false),
        filter: flags.filter,
      },
      { signal: context.signals.cancelled },
    );
    await printListing(context.stdout, {
      rows,
      fields: containerFields({ noTrunc, style: context.stdout.style }),
      columns: [
        ...['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'],
        ...(flags.size ? ['Size'] : []),
      ],
      only: quiet ? 'ID' : undefined,
      format: flags.format,
    });
    return 0;
  },
});

/** A container's fields as `docker ps` names and words them. */
function containerFields({
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
    Command: { title: 'COMMAND', of: ({ Command }) => JSON.stringify(cut(Command, COMMAND_CELLS)) },
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
    Names: { title: 'NAMES', of: ({ Names }) => Names.map((name) => name.replace(/^\//, '')).join(',') },
    Labels: {
      title: 'LABELS',
      of: ({ Labels }) =>
        Object.entries(Labels ?? {})
          .map(([k, v]) => `${k}=${v}`)
          .join(','),
    },
    Mounts: {
      title: 'MOUNTS',
      of: ({ Mounts }) => (Mounts ?? []).map(({ Name, Source }) => cut(Name || Source, 15)).join(','),
    },
    LocalVolumes: {
      title: 'LOCAL VOLUMES',
      of: ({ Mounts }) => String((Mounts ?? []).filter(({ Driver }) => Driver === 'local').length),
    },
    Networks: {
      title: 'NETWORKS',
      of: ({ NetworkSettings }) => Object.keys(NetworkSettings?.Networks ?? {}).join(','),
    },
    Size: { title: 'SIZE', of: shownSize },
  };
}

/** The image's name; its short id where the name has gone to another image since. */
function shownImage({ Image, ImageID }: ContainerSummary, noTrunc: boolean): string {
  if (Image === '') return '<no image>';
  return !noTrunc && shortId(Image) === shortId(ImageID) ? shortId(Image) : Image;
}

function shownPorts(ports: readonly Port[]): string {
  return ports
    .toSorted((a, b) => a.PrivatePort - b.PrivatePort || a.Type.localeCompare(b.Type))
    .map(({ IP, PrivatePort, PublicPort, Type }) => {
      if (PublicPort === undefined) return `${PrivatePort}/${Type}`;
      const address = IP?.includes(':') ? `[${IP}]` : (IP ?? '');
      return `${address === '' ? '' : `${address}:`}${PublicPort}->${PrivatePort}/${Type}`;
    })
    .join(', ');
}

function shownSize({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  const virtual = SizeRootFs > 0 ? ` (virtual ${formatSize(SizeRootFs)})` : '';
  return `${formatSize(SizeRw)}${virtual}`;
}

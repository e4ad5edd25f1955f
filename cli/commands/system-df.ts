import { BerthError } from '../../engine/api/errors.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import type { DiskUsage } from '../../engine/api/wire/disk-usage.ts';
import type { ContainerSummary, ImageSummary } from '../../engine/api/wire.ts';
import { type Context, defineCommand, type Flag } from '../command.ts';
import { buildListing, containerListing, imageListing, volumeListing } from '../disk-listings.ts';
import type { Listing } from '../list-fields.ts';
import { formatFlag, type ListFields, printListing } from '../listing.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  flags: {
    verbose: { type: 'boolean', summary: 'Show each object, not just sums', short: 'v' } as Flag<boolean>,
    format: formatFlag,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth system df', does: 'How much of the disk is held, and how much a prune would free' },
    { line: 'berth system df -v', does: 'By which images and containers' },
  ],
  async run(context, { flags: { verbose, format } }) {
    if (verbose && format && format !== 'table' && format !== 'json')
      throw new BerthError('usage', 'the verbose and the format options conflict', {
        hint: 'berth system df --format json, or -v',
      });
    const client = await context.connect();
    const usage = await client.call('diskUsage', {}, { signal: context.signals.cancelled });
    if (verbose && format === 'json') context.stdout.line(asJson(context, usage));
    else if (verbose) await describe(context, usage);
    else
      await printListing(context.stdout, {
        rows: sums(usage),
        fields: sumFields,
        goName: '*formatter.diskUsageContext',
        columns: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
        format,
      });
    return 0;
  },
});

/** A kind of objects, and what of it is used. Sizes in bytes; `share` is how the part that could go is shown. */
type Sum = {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly bytes: number;
  readonly reclaimable: number;
  readonly share: 'always' | 'unless nothing' | 'never';
};

const sumFields: ListFields<Sum> = {
  Type: { title: 'TYPE', of: ({ type }) => type },
  TotalCount: { title: 'TOTAL', of: ({ total }) => String(total) },
  Active: { title: 'ACTIVE', of: ({ active }) => String(active) },
  Size: { title: 'SIZE', of: ({ bytes }) => formatSize(bytes, 4) },
  Reclaimable: { title: 'RECLAIMABLE', of: shownReclaimable },
};

function shownReclaimable({ bytes, reclaimable, share }: Sum): string {
  const text = formatSize(reclaimable, 4);
  return share === 'never' || bytes === 0 ? text : `${text} (${Math.trunc((reclaimable * 100) / bytes)}%)`;
}

const add = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0);

/** A line for each kind, added up as docker does. */
function sums(usage: DiskUsage): readonly Sum[] {
  const images = usage.Images ?? [];
  const containers = usage.Containers ?? [];
  const volumes = usage.Volumes ?? [];
  const caches = usage.BuildCache ?? [];
  const layers = usage.LayersSize ?? 0;
  const written = (some: readonly ContainerSummary[]) => add(some.map(({ SizeRw = 0 }) => SizeRw));
  const held = (some: typeof volumes) => add(some.map(({ UsageData }) => Math.max(0, UsageData?.Size ?? 0)));
  const cached = (some: typeof caches) => add(some.map(({ Size, Shared }) => (Shared ? 0 : Size)));
  const used = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0);
  return [
    {
      type: 'Images',
      total: images.length,
      active: images.filter(({ Containers }) => Containers > 0).length,
      bytes: layers,
      reclaimable: Math.max(0, layers - add(images.map(bytesInUse))),
      share: 'always',
    },
    {
      type: 'Containers',
      total: containers.length,
      active: containers.filter(isActive).length,
      bytes: written(containers),
      reclaimable: written(containers.filter((container) => !isActive(container))),
      share: 'unless nothing',
    },
    {
      type: 'Local Volumes',
      total: volumes.length,
      active: used.length,
      bytes: held(volumes),
      reclaimable: held(volumes) - held(used),
      share: 'unless nothing',
    },
    {
      type: 'Build Cache',
      total: caches.length,
      active: caches.filter(({ InUse }) => InUse).length,
      bytes: usage.BuilderSize || cached(caches),
      reclaimable: cached(caches.filter(({ InUse }) => !InUse)),
      share: 'never',
    },
  ];
}

/** What would stay if all images that no container uses went: what is shared may belong to those, and does not count. */
function bytesInUse({ Containers, Size, SharedSize }: ImageSummary): number {
  return Containers === 0 || Size === -1 || SharedSize === -1 ? 0 : Size - SharedSize;
}

const isActive = ({ State }: ContainerSummary) => ['running', 'paused', 'restarting'].includes(State);

async function describe({ stdout }: Context, usage: DiskUsage): Promise<void> {
  await stdout.write('Images space usage:\n\n');
  await printListing(stdout, imageListing(usage.Images ?? []));
  await stdout.write('\nContainers space usage:\n\n');
  await printListing(stdout, containerListing(usage.Containers ?? [], stdout.style));
  await stdout.write('\nLocal Volumes space usage:\n\n');
  await printListing(stdout, volumeListing(usage.Volumes ?? []));
  const builds = sums(usage).find(({ type }) => type === 'Build Cache');
  await stdout.write(`\nBuild cache usage: ${formatSize(builds?.bytes ?? 0, 4)}\n\n`);
  await printListing(stdout, buildListing(usage.BuildCache ?? []));
}

/** All kinds in one object, each a list of its rows with docker's fields. */
function asJson({ stdout }: Context, usage: DiskUsage): string {
  return JSON.stringify({
    Images: fieldsOfRows(imageListing(usage.Images ?? [])),
    Containers: fieldsOfRows(containerListing(usage.Containers ?? [], stdout.style)),
    Volumes: fieldsOfRows(volumeListing(usage.Volumes ?? [])),
    BuildCache: fieldsOfRows(buildListing(usage.BuildCache ?? [])),
  });
}

function fieldsOfRows<Row>({ rows, fields }: Listing<Row>): readonly object[] {
  const names = Object.keys(fields).toSorted();
  return rows.map((row) => Object.fromEntries(names.map((name) => [name, fields[name]?.of(row)])));
}

import { operations } from '../../engine/api/operations.ts';
import { familiarName, parseReference } from '../../engine/api/reference.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import type { ImageSummary } from '../../engine/api/wire.ts';
import { defineCommand, type Flag } from '../command.ts';
import { configuredFormat } from '../configured-format.ts';
import { ago, goTime } from '../duration.ts';
import { formatFlag, type ListFields, printListing } from '../listing.ts';
import { shortId } from '../printable.ts';
import { refused } from '../refused.ts';

const { all, filter } = operations.imageList.query;

export const command = defineCommand({
  usage: '[FLAGS] [REPOSITORY[:TAG]]',
  flags: {
    all: { ...all, summary: 'Show images without a name that others are built on too' },
    filter,
    digests: { type: 'boolean', summary: 'Show digests' } as Flag<boolean>,
    tree: refused(
      { type: 'boolean', summary: 'Show the platforms of images' },
      'an image has one platform here',
      'berth images --digests',
    ) as Flag<boolean>,
    quiet: { type: 'boolean', summary: 'Print ids alone', short: 'q' } as Flag<boolean>,
    noTrunc: { type: 'boolean', summary: 'Show ids whole' } as Flag<boolean>,
    format: formatFlag,
  },
  takes: [0, 1],
  examples: [
    { line: 'berth images ubuntu', does: 'All tags of one repository' },
    { line: 'berth images --filter dangling=true -q', does: 'Ids of images without a name' },
  ],
  async run(context, { flags, args: [reference] }) {
    const { noTrunc = false, quiet, digests = false } = flags;
    const format = flags.format || (quiet ? undefined : configuredFormat('imagesFormat', context.env));
    const client = await context.connect();
    const wanted = reference === undefined ? flags.filter : { ...flags.filter, reference: [reference] };
    const images = await client.call(
      'imageList',
      { all: flags.all, filter: wanted },
      { signal: context.signals.cancelled },
    );
    const withDigests = digests || (format?.includes('{{.Digest}}') ?? false);
    await printListing(context.stdout, {
      rows: images.flatMap((image) => rowsOf(image, withDigests)),
      goName: '*formatter.imageContext',
      fields: imageFields(noTrunc),
      columns: ['Repository', 'Tag', ...(digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'],
      only: quiet ? 'ID' : undefined,
      format: formatWithDigest(format, digests),
      raw: rawImage(quiet ?? false, digests),
    });
    return 0;
  },
});

/** As docker does: a table of one's own gets the digest too where `--digests` asks for it. */
function formatWithDigest(format: string | undefined, digests: boolean): string | undefined {
  const adds = digests && format?.startsWith('table ') && !format.includes('{{.Digest}}');
  return adds ? `${format}\t{{.Digest}}` : format;
}

/** What `--format raw` stands for. */
function rawImage(quiet: boolean, digests: boolean): string {
  if (quiet) return 'image_id: {{.ID}}';
  return `repository: {{.Repository}}
tag: {{.Tag}}
${digests ? 'digest: {{.Digest}}\n' : ''}image_id: {{.ID}}
created_at: {{.CreatedAt}}
virtual_size: {{.Size}}
`;
}

const NONE = '<none>';
type Row = {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly image: ImageSummary;
};

/** An image's fields as `docker images` names and words them. */
export function imageFields(noTrunc: boolean): ListFields<Row> {
  const counted = (count: number | undefined) => (count === undefined || count < 0 ? 'N/A' : String(count));
  return {
    ID: { title: 'IMAGE ID', of: ({ image }) => (noTrunc ? image.Id : shortId(image.Id)) },
    Repository: { title: 'REPOSITORY', of: ({ repository }) => repository },
    Tag: { title: 'TAG', of: ({ tag }) => tag },
    Digest: { title: 'DIGEST', of: ({ digest }) => digest },
    CreatedSince: { title: 'CREATED', of: ({ image }) => ago(image.Created) },
    CreatedAt: { title: 'CREATED AT', of: ({ image }) => goTime(image.Created) },
    Size: { title: 'SIZE', of: ({ image }) => formatSize(image.Size) },
    Containers: { title: 'CONTAINERS', of: ({ image }) => counted(image.Containers) },
    SharedSize: { title: 'SHARED SIZE', of: ({ image }) => sizeOrNot(image.SharedSize) },
    UniqueSize: {
      title: 'UNIQUE SIZE',
      of: ({ image: { Size, SharedSize = -1 } }) => sizeOrNot(SharedSize < 0 ? -1 : Size - SharedSize),
    },
    // Once another number; docker keeps it, with four digits.
    VirtualSize: { title: 'SIZE', of: ({ image }) => formatSize(image.Size, 4) },
  };
}

const sizeOrNot = (bytes = -1) => (bytes < 0 ? 'N/A' : formatSize(bytes, 4));

/** A row for each name that the image has; with `digests`, its digest in that repository beside it. */
export function rowsOf(image: ImageSummary, digests: boolean): readonly Row[] {
  const named = (image.RepoTags ?? []).filter((name) => name !== `${NONE}:${NONE}`).map(splitName);
  const pinned = (image.RepoDigests ?? []).filter((name) => !name.startsWith(`${NONE}@`)).map(splitName);
  if (named.length > 0)
    return named.map(({ repository, tag }) => {
      const digest = digests ? pinned.find((other) => other.repository === repository)?.digest : undefined;
      return { repository, tag, digest: digest ?? NONE, image };
    });
  if (pinned.length > 0)
    return pinned.map(({ repository, digest }) => ({ repository, tag: NONE, digest, image }));
  return [{ repository: NONE, tag: NONE, digest: NONE, image }];
}

/** A name as the engine gave it, in parts; podman's `docker.io/library/busybox` is `busybox`, as with docker. */
function splitName(name: string): Pick<Row, 'repository' | 'tag' | 'digest'> {
  const at = name.indexOf('@');
  const digest = at < 0 ? NONE : name.slice(at + 1);
  const plain = at < 0 ? name : name.slice(0, at);
  const colon = plain.lastIndexOf(':');
  const tagged = colon > plain.lastIndexOf('/');
  const repository = tagged ? plain.slice(0, colon) : plain;
  return { repository: shortRepository(repository), tag: tagged ? plain.slice(colon + 1) : NONE, digest };
}

function shortRepository(name: string): string {
  try {
    return familiarName(parseReference(name));
  } catch {
    // An engine may hold names that are none by our grammar: they are shown as they are.
    return name;
  }
}

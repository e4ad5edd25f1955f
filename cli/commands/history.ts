import { operations } from '../../engine/api/operations.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import type { ImageHistory } from '../../engine/api/wire/made-images.ts';
import { defineCommand, type Flag } from '../command.ts';
import { ago, goTime } from '../duration.ts';
import { formatFlag, type ListFields, printListing } from '../listing.ts';
import { ellipsis, shortId } from '../printable.ts';

const CREATED_BY_CELLS = 45;
const MISSING = '<missing>';

export const command = defineCommand({
  usage: '[FLAGS] IMAGE',
  flags: {
    human: {
      type: 'boolean',
      summary: 'Print sizes and dates for people',
      short: 'H',
      default: true,
    } as Flag<boolean>,
    noTrunc: { type: 'boolean', summary: 'Show ids and commands whole' } as Flag<boolean>,
    quiet: { type: 'boolean', summary: 'Print ids alone', short: 'q' } as Flag<boolean>,
    format: formatFlag,
    platform: operations.imageHistory.query.platform,
  },
  takes: [1, 1],
  examples: [{ line: 'berth history ubuntu', does: 'The steps it was made in, newest first' }],
  async run(context, { flags, args: [name = ''] }) {
    const { human = true, noTrunc = false, quiet, platform } = flags;
    const client = await context.connect();
    const { cancelled: signal } = context.signals;
    const rows = await client.call('imageHistory', { name, platform }, { signal });
    await printListing(context.stdout, {
      rows,
      goName: '*formatter.historyContext',
      fields: historyFields({ human, noTrunc }),
      columns: ['ID', human ? 'CreatedSince' : 'CreatedAt', 'CreatedBy', 'Size', 'Comment'],
      only: quiet ? 'ID' : undefined,
      format: flags.format,
    });
    return 0;
  },
});

function historyFields(options: {
  readonly human: boolean;
  readonly noTrunc: boolean;
}): ListFields<ImageHistory> {
  const { human, noTrunc } = options;
  return {
    ID: { title: 'IMAGE', of: ({ Id }) => (noTrunc || Id === MISSING ? Id : shortId(Id)) },
    CreatedSince: { title: 'CREATED', of: ({ Created }) => (human ? ago(Created) : goTime(Created)) },
    CreatedAt: { title: 'CREATED AT', of: ({ Created }) => goTime(Created) },
    CreatedBy: {
      title: 'CREATED BY',
      of: ({ CreatedBy }) => {
        const line = CreatedBy.replaceAll('\t', ' ');
        return noTrunc ? line : ellipsis(line, CREATED_BY_CELLS);
      },
    },
    Size: { title: 'SIZE', of: ({ Size }) => (human ? formatSize(Size) : String(Size)) },
    Comment: { title: 'COMMENT', of: ({ Comment }) => Comment },
  };
}

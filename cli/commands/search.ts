import { operations } from '../../engine/api/operations.ts';
import { splitSearchTerm } from '../../engine/api/reference.ts';
import type { SearchResult } from '../../engine/api/wire/registry.ts';
import { defineCommand, type Flag } from '../command.ts';
import { formatFlag, type ListFields, printListing } from '../listing.ts';
import { ellipsis } from '../printable.ts';

const { limit, filter } = operations.imageSearch.query;
const DESCRIPTION_CELLS = 45;

export const command = defineCommand({
  usage: '[FLAGS] TERM',
  description:
    'It asks Docker Hub, or with HOST/TERM that registry, which has to have a search; most have none. The best known come first.',
  flags: {
    filter: { ...filter, summary: 'Keep only what matches: stars=N, is-official=true' },
    limit,
    noTrunc: { type: 'boolean', summary: 'Show descriptions whole' } as Flag<boolean>,
    format: formatFlag,
  },
  takes: [1, 1],
  examples: [{ line: 'berth search --filter is-official=true postgres', does: 'Those that Docker keeps' }],
  async run(context, { flags, args: [term = ''] }) {
    const { domain } = splitSearchTerm(term);
    const { registryHeaders } = await import('../../engine/client/credentials.ts');
    const headers = await registryHeaders(domain);
    const client = await context.connect();
    const found = await client.call(
      'imageSearch',
      { term, limit: flags.limit, filter: flags.filter },
      { headers, signal: context.signals.cancelled },
    );
    await printListing(context.stdout, {
      rows: found.toSorted((a, b) => b.star_count - a.star_count),
      goName: '*search.searchContext',
      fields: searchFields(flags.noTrunc ?? false),
      columns: ['Name', 'Description', 'StarCount', 'IsOfficial'],
      format: flags.format,
    });
    return 0;
  },
});

function searchFields(noTrunc: boolean): ListFields<SearchResult> {
  const tick = (holds: boolean) => (holds ? '[OK]' : '');
  return {
    Name: { title: 'NAME', of: ({ name }) => name },
    Description: {
      title: 'DESCRIPTION',
      of: ({ description }) => {
        const line = description.replace(/[\r\n]+/g, ' ');
        return noTrunc ? line : ellipsis(line, DESCRIPTION_CELLS);
      },
    },
    StarCount: { title: 'STARS', of: ({ star_count: stars }) => String(stars) },
    IsOfficial: { title: 'OFFICIAL', of: ({ is_official: is }) => tick(is) },
    IsAutomated: { title: 'AUTOMATED', of: ({ is_automated: is }) => tick(is) },
  };
}

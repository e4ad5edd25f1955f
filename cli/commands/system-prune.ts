import { toBerthError } from '../../engine/api/errors.ts';
import type { Filters } from '../../engine/api/fields.ts';
import { defineCommand, type Flag } from '../command.ts';
import { confirm } from '../confirm.ts';
import {
  prunedBuilds,
  prunedContainers,
  prunedImages,
  prunedNetworks,
  prunedVolumes,
  pruneFlags,
  reclaimed,
} from '../pruning.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description:
    'Removes what nothing uses, of all kinds. It says what, and asks first, unless --force is given.',
  flags: {
    all: {
      type: 'boolean',
      summary: 'Remove all images that no container uses, not just those without a name',
      short: 'a',
    } as Flag<boolean>,
    volumes: { type: 'boolean', summary: 'Remove volumes without a name too' } as Flag<boolean>,
    ...pruneFlags,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth system prune', does: 'See what would go, and be asked' },
    { line: 'berth system prune -a -f --filter until=24h', does: 'What is older than a day' },
  ],
  async run(context, { flags: { all = false, filter = {}, force, volumes = false } }) {
    const client = await context.connect();
    const { stdout, signals } = context;
    if (!force && !(await confirm(context, warningOf({ all, volumes }, filter)))) return 0;
    const options = { signal: signals.cancelled };
    // In docker's order: what a container held is free for those after it.
    const containers = await client.call('containerPrune', { filter }, options);
    await stdout.write(prunedContainers(containers));
    await stdout.write(prunedNetworks(await client.call('networkPrune', { filter }, options)));
    const held = volumes ? await client.call('volumePrune', { filter }, options) : undefined;
    if (held !== undefined) await stdout.write(prunedVolumes(held));
    const dangling = { ...filter, dangling: [String(!all)] };
    const images = await client.call('imagePrune', { filter: dangling }, options);
    await stdout.write(prunedImages(images));
    const builds = await unlessUnknown(client.call('buildPrune', { filter }, options));
    if (builds !== undefined) await stdout.write(prunedBuilds(builds));
    const bytes = [containers, held, images, builds].map((pruned) => pruned?.SpaceReclaimed ?? 0);
    stdout.line(reclaimed(bytes.reduce((sum, each) => sum + each, 0)));
    return 0;
  },
});

/** What will go, in docker's words. */
function warningOf(
  { all, volumes }: { readonly all: boolean; readonly volumes: boolean },
  filter: Filters,
): string {
  const kinds = [
    'all stopped containers',
    'all networks not used by at least one container',
    ...(volumes ? ['all anonymous volumes not used by at least one container'] : []),
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  ];
  const filters = Object.entries(filter).flatMap(([name, values]) =>
    values.map((value) => `${name}=${value}`),
  );
  const items = (lines: readonly string[]) => lines.map((line) => `  - ${line}\n`).join('');
  const narrowed =
    filters.length === 0 ? '' : `\n  Items to be pruned will be filtered with:\n${items(filters.toSorted())}`;
  return `This will remove:\n${items(kinds)}${narrowed}`;
}

/** An engine that builds with another program has no cache of its own. */
async function unlessUnknown<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (!['notFound', 'unsupported'].includes(toBerthError(thrown).code)) throw thrown;
    return undefined;
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../engine/client/client.ts';
import { type Context, defineCommand, type Flag } from '../command.ts';
import { complain } from '../each.ts';
import { formatFlag, printListing } from '../listing.ts';
import { usageColumns, usageFields } from '../usage.ts';
import { openUsage, type UsageStreams } from '../usage-streams.ts';

const DRAW_EVERY_MS = 500;
const TOP_LEFT = '\x1b[H';
const ERASE_LINE = '\x1b[K';
const ERASE_BELOW = '\x1b[J';

export const command = defineCommand({
  usage: '[FLAGS] [CONTAINER...]',
  description: 'Without names, all that run, and those that start meanwhile. It goes on until you end it.',
  flags: {
    all: { type: 'boolean', summary: 'Show all, not just the running ones', short: 'a' } as Flag<boolean>,
    noStream: { type: 'boolean', summary: 'Print the first result, and end' } as Flag<boolean>,
    noTrunc: { type: 'boolean', summary: 'Show ids whole' } as Flag<boolean>,
    format: formatFlag,
  },
  takes: [0, Number.POSITIVE_INFINITY],
  examples: [
    { line: 'berth stats', does: 'All that run, live' },
    { line: "berth stats --no-stream --format '{{.Name}}: {{.MemUsage}}' web", does: 'One value, once' },
  ],
  async run(context, { flags, args }) {
    const { all = false, noStream = false, noTrunc = false, format } = flags;
    const client = await context.connect();
    const { cancelled } = context.signals;
    const usage = openUsage(client, { once: noStream, signal: cancelled });
    if (args.length > 0) for (const name of args) usage.add(name);
    else await addAll(client, usage, { all, follow: !noStream, signal: cancelled });
    await usage.begun();
    cancelled.throwIfAborted();
    if (args.length > 0 && usage.errors().length > 0) {
      for (const error of usage.errors()) complain(context, error);
      return 1;
    }
    const listing = () => ({
      rows: usage.rows(),
      fields: usageFields(noTrunc),
      goName: '*container.statsContext',
      columns: usageColumns,
      format,
    });
    if (noStream) {
      await printListing(context.stdout, listing());
      return 0;
    }
    for (;;) {
      await draw(context, listing());
      await delay(DRAW_EVERY_MS, undefined, { signal: cancelled });
    }
  },
});

/** On a terminal over what was there before, in one write so that it does not flicker; elsewhere below it. */
async function draw({ stdout }: Context, listing: Parameters<typeof printListing>[1]): Promise<void> {
  let text = '';
  await printListing(
    {
      ...stdout,
      write: async (data) => {
        text += String(data);
      },
    },
    listing,
  );
  if (!stdout.isTerminal) return await stdout.write(text);
  await stdout.write(`${TOP_LEFT}${text.replaceAll('\n', `${ERASE_LINE}\n`)}${ERASE_BELOW}`);
}

/** Those that there are, and with `follow` those that come, as the events tell. */
async function addAll(
  client: Client,
  usage: UsageStreams,
  { all, follow, signal }: { readonly all: boolean; readonly follow: boolean; readonly signal: AbortSignal },
): Promise<void> {
  // From before the list is made: none falls between.
  const since = (Date.now() / 1000).toFixed(3);
  for (const { Id } of await client.call('containerList', { all }, { signal })) usage.add(Id.slice(0, 12));
  if (!follow) return;
  void (async () => {
    const filter = { type: ['container'], event: ['create', 'start', 'die', 'destroy'] };
    for await (const { Action, Actor } of client.lines('events', { since, filter }, { signal })) {
      const id = Actor.ID.slice(0, 12);
      if (Action === 'start' || (Action === 'create' && all)) usage.add(id);
      else if (Action === 'destroy' || (Action === 'die' && !all)) usage.drop(id);
    }
    // The engine ended: what is shown stays as it is until the command is ended too.
  })().catch(() => undefined);
}

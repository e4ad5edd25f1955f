import { BerthError } from '../../engine/api/errors.ts';
import { unixMoment } from '../../engine/api/moment.ts';
import { operations } from '../../engine/api/operations.ts';
import type { EventMessage } from '../../engine/api/wire.ts';
import { defineCommand, type Flag } from '../command.ts';
import { rfc3339Nano } from '../duration.ts';
import { FormatError } from '../format-error.ts';
import { printable } from '../printable.ts';

/** What docker exits with where a format can't be used at all. */
const NOT_A_FORMAT = 64;

const { since, until, filter } = operations.events.query;

export const command = defineCommand({
  usage: '[FLAGS]',
  description: 'It goes on until --until, or until you end it.',
  flags: {
    since,
    until,
    filter,
    format: {
      type: 'string',
      summary: "How to print: json (one object a line), or a Go template such as '{{.Action}}'",
      placeholder: 'FORMAT',
    } as Flag<string>,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth events --filter type=container --filter event=die', does: 'Containers as they end' },
    {
      line: 'berth events --since 1h --until 0s --format json',
      does: 'The last hour, for a program to read',
    },
  ],
  async run(context, { flags }) {
    const query = {
      since: flags.since === undefined ? undefined : unixMoment(flags.since),
      until: flags.until === undefined ? undefined : unixMoment(flags.until),
      filter: flags.filter,
    };
    const print = await printerFor(flags.format, context.stdout.isTerminal);
    const client = await context.connect();
    const { cancelled } = context.signals;
    for await (const line of client.rawLines('events', query, { signal: cancelled }))
      await context.stdout.write(`${print(line)}\n`);
    if (query.until === undefined)
      throw new BerthError('unavailable', 'the engine ended the stream of events', {
        hint: 'berth engine status',
      });
    return 0;
  },
});

/** Prints from the engine's own line: `timeNano` does not fit into a number. Throws FormatError. */
async function printerFor(
  format: string | undefined,
  isTerminal: boolean,
): Promise<(line: string) => string> {
  if (format === 'json') return (line) => line.trim();
  if (format === undefined || format === '')
    return (line) => describe(JSON.parse(line) as EventMessage, timeOf(line));
  const { fillTemplate, parseTemplate } = await import('../template.ts');
  const template = parseTemplate(format);
  const show = isTerminal ? (text: string) => printable(text, { lines: true }) : undefined;
  const fill = (data: object) =>
    fillTemplate(template, data, { type: '*events.Message', ...(show === undefined ? {} : { show }) });
  // Before anything happens: a field that no event has is said at once.
  try {
    fill({});
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(error.message, { exitCode: NOT_A_FORMAT });
  }
  return (line) => fill({ ...JSON.parse(line), timeNano: BigInt(timeOf(line) ?? 0) });
}

function timeOf(line: string): string | undefined {
  return /"timeNano":\s*(\d{1,19})/.exec(line)?.[1];
}

/** docker's line: time, type, action, id, and the attributes in brackets. */
function describe({ time, Type, Action, Actor }: EventMessage, timeNano: string | undefined): string {
  const attributes = Object.entries(Actor.Attributes ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const about = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return printable(`${rfc3339Nano(BigInt(timeNano ?? time * 1e9))} ${Type} ${Action} ${Actor.ID}${about}`);
}

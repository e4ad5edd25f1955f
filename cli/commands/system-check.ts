import { BerthError, toBerthError } from '../../engine/api/errors.ts';
import { operations } from '../../engine/api/operations.ts';
import type { CheckFinding, CheckSummary } from '../../engine/api/wire/check.ts';
import { defineCommand, type Flag } from '../command.ts';
import type { Output } from '../output.ts';
import { printable } from '../printable.ts';

export const command = defineCommand({
  usage: '[FLAGS]',
  description:
    'Reads everything that the engine keeps and holds it against its digest: that takes as long as the disk takes. A line says what is wrong, where, and what a repair does. The exit code is 1 where something is wrong, or is still wrong after --repair.',
  flags: {
    repair: operations.systemCheck.query.repair,
    format: {
      type: 'string',
      summary: 'How to print: json, one object a line',
      placeholder: 'FORMAT',
      values: ['json'],
    } as Flag<string>,
  },
  takes: [0, 0],
  examples: [
    { line: 'berth system check', does: 'See what is broken' },
    { line: 'berth system check --repair', does: 'Repair it: from what is here, else from registries' },
  ],
  async run(context, { flags: { repair = false, format } }) {
    const { stdout, stderr, signals } = context;
    const client = await context.connect();
    const progress = openCounter(stderr);
    let summary: CheckSummary | undefined;
    try {
      for await (const line of client.lines('systemCheck', { repair }, { signal: signals.cancelled })) {
        if ('progress' in line) progress.show(line.progress.done, line.progress.total);
        else if ('summary' in line) ({ summary } = line);
        else {
          progress.clear();
          stdout.line(
            format === 'json' ? JSON.stringify(line.finding) : describe(line.finding, stdout.style),
          );
        }
      }
    } catch (thrown) {
      const error = toBerthError(thrown);
      if (error.code !== 'notFound') throw error;
      throw new BerthError('unsupported', 'this engine has no check', { cause: error });
    } finally {
      progress.clear();
    }
    if (summary === undefined)
      throw new BerthError('unavailable', 'the check broke off', { hint: 'berth engine status' });
    const { checked, found, repaired } = summary;
    stderr.line(
      `checked ${checked}: ${found === 0 ? 'nothing is wrong' : `${found} wrong`}${repair && found > 0 ? `, ${repaired} repaired` : ''}`,
    );
    return found === repaired ? 0 : 1;
  },
});

function describe(finding: CheckFinding, style: Output['style']): string {
  const { what, where, problem, repair, outcome, why = '' } = finding;
  const end = { found: `repair: ${repair}`, repaired: 'repaired', left: `not repaired: ${why}` }[outcome];
  const paint = outcome === 'repaired' ? style.green : style.red;
  return `${paint(printable(`${what}: ${problem}`))} (${printable(where)}); ${printable(end)}`;
}

const REDRAW_MS = 100;

/** How far it is, in one line that is written over; on a terminal alone. */
function openCounter(out: Output) {
  let shownMs = 0;
  return {
    show: (done: number, total: number) => {
      if (!out.isTerminal || Date.now() - shownMs < REDRAW_MS) return;
      shownMs = Date.now();
      out.stream.write(`\rchecking ${done} of ${total}\x1b[K`);
    },
    clear: () => {
      if (!out.isTerminal || shownMs === 0) return;
      shownMs = 0;
      out.stream.write('\r\x1b[K');
    },
  };
}

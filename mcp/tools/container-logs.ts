import { integer as integerField, string } from '../../engine/api/fields.ts';
import { operations } from '../../engine/api/operations.ts';
import { unixMoment } from '../../engine/client/index.ts';
import { CONTENT_BYTES, fitEnd } from '../budget.ts';
import { cursorBefore, momentAfter, parseCursor, withoutLast } from '../log-cursor.ts';
import { keepTail, readLogLines } from '../log-lines.ts';
import { shortId } from '../names.ts';
import { described, integer, optional, record, text, truth } from '../schema.ts';
import { reads, tool } from '../tool.ts';
import { containerField, lookUp } from './lookup.ts';

const { since, until } = operations.containerLogs.query;
const DEFAULT_LINES = 100;
const MAX_LINES = 5000;

export const containerLogs = tool({
  name: 'container_logs',
  description: 'Show the last lines that a container wrote.',
  hints: reads,
  fields: {
    container: containerField,
    tail: integerField('Lines from the end', { min: 1, max: MAX_LINES, default: DEFAULT_LINES }),
    since,
    until,
    cursor: string('From the last result, for older lines'),
  },
  required: ['container'],
  output: record({
    id: text,
    log: text,
    lines: integer,
    truncated: truth,
    cursor: optional(described(text, 'pass it to get older lines')),
    newest: optional(described(text, 'since, for newer lines')),
  }),
  async run({ container, tail = DEFAULT_LINES, since, until, cursor }, call) {
    const { engine, signal } = call;
    const from = cursor === undefined ? undefined : parseCursor(cursor);
    const window = {
      since: since === undefined ? undefined : unixMoment(since),
      until: from?.until ?? (until === undefined ? undefined : unixMoment(until)),
    };
    const { Id, Config } = await lookUp(container, call);
    const log = await engine.logs(
      {
        id: Id,
        stdout: true,
        stderr: true,
        timestamps: true,
        ...window,
        // One more than wanted tells whether there are older ones. dockerd counts from the end of the log, not
        // from `until`: with one, all that lies before has to be read, and is let go line by line.
        tail: window.until === undefined ? String(tail + 1) : 'all',
      },
      { signal },
    );
    const kept = keepTail({ maxLines: tail, maxBytes: CONTENT_BYTES, timestamps: true });
    const tty = Config.Tty ?? false;
    await readLogLines(log, { tty, timestamps: true }, withoutLast(from?.skip ?? 0, kept.push));
    signal.throwIfAborted();

    const { lines, dropped: truncated } = kept.finish();
    const body = fitEnd(lines.map((line) => line.text).join('\n'), CONTENT_BYTES);
    const older = truncated ? cursorBefore(lines, from) : undefined;
    const last = lines.at(-1)?.time;
    const more = older === undefined ? '' : `\n[there are older lines: pass cursor "${older}"]`;
    return {
      text: lines.length === 0 ? 'no output' : `${body}${more}`,
      data: {
        id: shortId(Id),
        log: body,
        lines: lines.length,
        truncated,
        cursor: older,
        newest: last === undefined ? undefined : momentAfter(last),
      },
    };
  },
});

import { decodeFrames, type StreamFrame } from '../engine/api/multiplex.ts';
import { CONTENT_BYTES, readable, wireBytes } from './budget.ts';

/** A line as it stands in a log: with the time before it where that was asked for. */
export type RawLine = {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
  /** Whether the line was longer, and its end is missing. */
  readonly cut: boolean;
};

/** A line that a container wrote. */
export type LogLine = {
  readonly text: string;
  /** As the engine wrote it, RFC 3339 with nanoseconds; undefined where there is none. */
  readonly time: string | undefined;
};

/** No line is kept beyond what a result may hold: some programs write gigabytes without a newline. */
const MAX_LINE_BYTES = CONTENT_BYTES;
const NEWLINE = 10;
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ?/;
const LONGEST_TIME = 40;

type OpenLine = { chunks: Buffer[]; length: number; cut: boolean };

/**
 * Reads a container's log (the answer of ContainerLogs) and calls `onLine` for each line, in order. Holds one
 * unfinished line of each stream and no more, whatever the log's size.
 */
export async function readLogLines(
  log: AsyncIterable<Buffer>,
  options: { readonly tty: boolean; readonly timestamps: boolean },
  onLine: (line: RawLine) => void,
): Promise<void> {
  const open = { stdout: emptyLine(), stderr: emptyLine() };

  function finish(stream: RawLine['stream']): void {
    const { chunks, cut } = open[stream];
    open[stream] = emptyLine();
    onLine({ stream, bytes: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks), cut });
  }

  for await (const { stream, data } of options.tty ? plainFrames(log) : decodeFrames(log)) {
    if (stream === 'stdin') continue;
    let rest = options.timestamps && open[stream].length > 0 ? withoutTime(data) : data;
    for (let newline = rest.indexOf(NEWLINE); newline >= 0; newline = rest.indexOf(NEWLINE)) {
      append(open[stream], rest.subarray(0, newline));
      finish(stream);
      rest = rest.subarray(newline + 1);
    }
    append(open[stream], rest);
  }
  for (const stream of ['stdout', 'stderr'] as const) if (open[stream].length > 0) finish(stream);
}

function emptyLine(): OpenLine {
  return { chunks: [], length: 0, cut: false };
}

function append(line: OpenLine, data: Buffer): void {
  const room = MAX_LINE_BYTES - line.length;
  if (data.length > room) line.cut = true;
  if (data.length === 0 || room <= 0) return;
  // A copy: a view would keep the whole chunk that it came in.
  const kept = Buffer.from(data.subarray(0, room));
  line.chunks.push(kept);
  line.length += kept.length;
}

/** dockerd keeps lines of over 16 KiB in pieces, and puts the time before each piece. */
function withoutTime(data: Buffer): Buffer {
  const time = TIME.exec(data.toString('latin1', 0, LONGEST_TIME));
  return time === null ? data : data.subarray(time[0].length);
}

async function* plainFrames(log: AsyncIterable<Buffer>): AsyncGenerator<StreamFrame> {
  for await (const data of log) yield { stream: 'stdout', data };
}

/** The last lines that were pushed, within both limits. */
export type LineTail = {
  push(line: RawLine): void;
  /** The lines, fit to be read; `dropped` says whether something is missing: lines, or the end of one. */
  finish(): { readonly lines: readonly LogLine[]; readonly dropped: boolean };
};

/** Keeps the newest lines: at most `maxLines`, and at most `maxBytes` of them on the wire. */
export function keepTail(limits: {
  readonly maxLines: number;
  readonly maxBytes: number;
  /** Whether each line begins with its time, which is taken off. */
  readonly timestamps: boolean;
}): LineTail {
  const { maxLines, maxBytes, timestamps } = limits;
  const kept: RawLine[] = [];
  let length = 0;
  let dropped = false;
  return {
    push(line) {
      kept.push(line);
      length += line.bytes.length;
      // Colours and times are taken off only the lines that are shown: until then there is room for them.
      while (kept.length > maxLines || (kept.length > 1 && length > maxBytes * 4)) {
        length -= kept.shift()?.bytes.length ?? 0;
        dropped = true;
      }
    },
    finish() {
      const lines: LogLine[] = [];
      let room = maxBytes;
      for (const raw of kept.toReversed()) {
        const line = readLine(raw.bytes, timestamps);
        room -= wireBytes(line.text);
        if (room < 0 && lines.length > 0) return { lines, dropped: true };
        dropped ||= raw.cut;
        lines.unshift(line);
      }
      return { lines, dropped };
    },
  };
}

function readLine(bytes: Buffer, timestamps: boolean): LogLine {
  const whole = bytes.toString('utf8');
  const time = timestamps ? TIME.exec(whole) : null;
  return { time: time?.[1], text: readable(whole.slice(time?.[0].length ?? 0)) };
}

import { decodeFrames } from '../../engine/api/multiplex.ts';
import type { Client } from '../../engine/client/index.ts';
import { cleanLogLine } from '../text/clean.ts';
import { createLineSplitter, splitTimestamp } from './lines.ts';
import type { LogRing } from './ring.ts';

const FIRST_LINES = '200';
const MAX_LINE_BYTES = 4096;

/** The place in a log up to which it has been read: the time of its last line. */
export type LogPosition = { time: string };

/**
 * Reads a container's log into the ring and goes on as it grows: the last 200 lines first, or what came after
 * `position` when a stream was lost. Resolves when the engine ends the stream (the container does not run).
 * Throws what the engine answered, `unavailable` when the connection is lost, `cancelled` on the signal.
 */
export async function followLog(options: {
  readonly client: Client;
  readonly id: string;
  /** A container with a terminal has one raw stream; any other has frames. */
  readonly tty: boolean;
  readonly ring: LogRing;
  readonly position: LogPosition;
  readonly colour: boolean;
  readonly onLines: () => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { client, id, tty, ring, position, colour, onLines, signal } = options;
  const resumed = position.time;
  const query = {
    follow: true,
    stdout: true,
    stderr: true,
    timestamps: true,
    ...(resumed === '' ? { tail: FIRST_LINES } : { since: wholeSeconds(resumed) }),
  };
  const add = (line: string) => {
    const { time, text } = splitTimestamp(line);
    // `since` has whole seconds for all engines to understand: what was there already comes again.
    if (resumed !== '' && time !== '' && time <= resumed) return;
    if (time > position.time) position.time = time;
    ring.push(cleanLogLine(text, { colour }));
  };
  const stream = await client.bytes('containerLogs', { id, ...query }, { signal });
  const splitters = {
    stdin: undefined,
    stdout: createLineSplitter(MAX_LINE_BYTES, add),
    stderr: createLineSplitter(MAX_LINE_BYTES, add),
  };
  if (tty) {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      splitters.stdout.push(chunk);
      onLines();
    }
  } else {
    for await (const { stream: name, data } of decodeFrames(stream)) {
      splitters[name]?.push(data);
      onLines();
    }
  }
  splitters.stdout.flush();
  splitters.stderr.flush();
  onLines();
}

function wholeSeconds(time: string): string {
  return String(Math.floor(Date.parse(time) / 1000));
}

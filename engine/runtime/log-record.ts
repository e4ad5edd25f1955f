import type { StreamFrame } from '../api/multiplex.ts';

/** One record of conmon's log in CRI format (kubernetes/cri-api, «log format»): a line, or a piece of one. */
export type LogRecord = {
  readonly stream: 'stdout' | 'stderr';
  /** When it was written, as it stands in the log; read by `timeOf` only where it is asked for. */
  readonly stamp: Buffer;
  /** Whether the line ends here; its newline is not part of `data`. */
  readonly full: boolean;
  readonly data: Buffer;
};

const NEWLINE = Buffer.from('\n');
const SPACE = 0x20;
const FULL = 0x46;
const PIECE = 0x50;
const STREAM_LENGTH = 'stdout'.length;

/** Reads one line of the log, `TIME STREAM TAG DATA`; undefined for one that conmon did not write. */
export function parseRecord(line: Buffer): LogRecord | undefined {
  const first = line.indexOf(SPACE);
  const tagAt = first + 1 + STREAM_LENGTH + 1;
  const tag = line[tagAt];
  if (first < 0 || line[tagAt - 1] !== SPACE || line[tagAt + 1] !== SPACE || (tag !== FULL && tag !== PIECE))
    return undefined;
  const name = line.toString('latin1', first + 1, tagAt - 1);
  if (name !== 'stdout' && name !== 'stderr') return undefined;
  return { stream: name, stamp: line.subarray(0, first), full: tag === FULL, data: line.subarray(tagAt + 2) };
}

/**
 * When a record was written: nanoseconds since 1970, and the same in RFC 3339. conmon writes local time with an
 * offset and nine digits; given back in UTC with all of them. Undefined for what is no such time.
 */
export function timeOf(
  record: Pick<LogRecord, 'stamp'>,
): { readonly nano: bigint; readonly text: string } | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})(Z|[+-]\d\d:\d\d)$/.exec(
    record.stamp.toString('latin1'),
  );
  const milliseconds = Date.parse(`${match?.[1]}${match?.[3]}`);
  const fraction = match?.[2];
  if (fraction === undefined || Number.isNaN(milliseconds)) return undefined;
  const utc = new Date(milliseconds).toISOString().slice(0, 19);
  return { nano: BigInt(milliseconds) * 1_000_000n + BigInt(fraction), text: `${utc}.${fraction}Z` };
}

/**
 * The bytes that the container wrote, as few frames as their order allows: neighbours on one stream are one frame.
 * `within` says, and is told, on which streams a line has begun and not ended: only a line's beginning gets the time, and
 * what else is to stand before it.
 */
export function framesOf(
  records: readonly LogRecord[],
  options: {
    readonly timestamps: boolean;
    readonly details?: string | undefined;
    readonly within: { stdout: boolean; stderr: boolean };
  },
): readonly StreamFrame[] {
  const { timestamps, details, within } = options;
  const frames: { readonly stream: LogRecord['stream']; readonly parts: Buffer[] }[] = [];
  for (const record of records) {
    let frame = frames.at(-1);
    if (frame?.stream !== record.stream) {
      frame = { stream: record.stream, parts: [] };
      frames.push(frame);
    }
    const prefix = within[record.stream]
      ? ''
      : `${timestamps ? `${timeOf(record)?.text ?? ''} ` : ''}${details ?? ''}`;
    if (prefix !== '') frame.parts.push(Buffer.from(prefix));
    frame.parts.push(record.data);
    if (record.full) frame.parts.push(NEWLINE);
    within[record.stream] = !record.full;
  }
  return frames.map(({ stream, parts }) => ({ stream, data: Buffer.concat(parts) }));
}

import type { LogFile } from './log-file.ts';
import { type LogRecord, parseRecord, timeOf } from './log-record.ts';
import { watchName } from './watch.ts';

const NEWLINE = 0x0a;
const READ_BYTES = 64 * 1024;

/** What to give of a log: times in nanoseconds, `tail` in lines from its end. */
export type LogWindow = {
  /** Offset of a record's beginning; the log's own where it is not given. */
  readonly from?: number | undefined;
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  readonly tail?: number | undefined;
  /** Goes on until `onEnd` calls back and all that was written is given. */
  readonly follow?: Follow | undefined;
};

export type Follow = {
  /** Calls back at the container's end, until disposed of. */
  readonly onEnd: (end: () => void) => Disposable;
  readonly signal: AbortSignal;
  /** Whether a reader that falls behind holds on to files that are rotated away meanwhile. */
  readonly keepsAll?: boolean;
};

/**
 * The records of a container's log, as many at once as one read brings. Reads as the consumer asks, holding one
 * buffer, and follows by inotify.
 */
export async function* readLog(file: LogFile, window: LogWindow): AsyncGenerator<readonly LogRecord[]> {
  const { since, until } = window;
  // What is written from here on is for those who follow: the last lines are the last ones of now.
  const size = file.size();
  const start = await offsetOf(file, size, window);
  for await (const block of readBlocks(file, {
    start,
    end: window.follow === undefined ? size : undefined,
    follow: window.follow,
  })) {
    const records = parseBlock(block);
    if (since === undefined && until === undefined) {
      yield records;
      continue;
    }
    const kept: LogRecord[] = [];
    for (const record of records) {
      const nano = timeOf(record)?.nano;
      if (nano === undefined || (since !== undefined && nano < since)) continue;
      if (until !== undefined && nano > until) {
        yield kept;
        return;
      }
      kept.push(record);
    }
    yield kept;
  }
}

async function offsetOf(file: LogFile, size: number, { from, since, tail }: LogWindow): Promise<number> {
  if (tail !== undefined) return await offsetOfTail(file, size, tail);
  return from ?? (since === undefined ? 0 : await offsetOfMoment(file, size, since));
}

function parseBlock(block: Buffer): readonly LogRecord[] {
  const records: LogRecord[] = [];
  let begin = 0;
  for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, begin)) {
    const record = parseRecord(block.subarray(begin, end));
    if (record !== undefined) records.push(record);
    begin = end + 1;
  }
  return records;
}

/**
 * A record's beginning before which everything is older than a moment, found by halving: conmon writes records in the
 * order of their times.
 */
async function offsetOfMoment(file: LogFile, size: number, since: bigint): Promise<number> {
  const buffer = Buffer.alloc(READ_BYTES);
  let low = 0;
  let high = size;
  while (high - low > READ_BYTES) {
    const middle = Math.floor((low + high) / 2);
    const bytesRead = await file.read(buffer, middle);
    const begin = buffer.subarray(0, bytesRead).indexOf(NEWLINE) + 1;
    const end = buffer.subarray(0, bytesRead).indexOf(NEWLINE, begin);
    const record = begin > 0 && end > 0 ? parseRecord(buffer.subarray(begin, end)) : undefined;
    const nano = record === undefined ? undefined : timeOf(record)?.nano;
    if (nano !== undefined && nano < since) low = middle + begin;
    else high = middle;
  }
  return low;
}

/** Where the last `lines` lines begin, found from the end backwards. A piece without an end belongs to its line. */
async function offsetOfTail(file: LogFile, size: number, lines: number): Promise<number> {
  if (lines <= 0) return size;
  let position = size;
  let carry: Buffer = Buffer.alloc(0);
  let seen = 0;
  let start = size;
  while (position > 0) {
    const buffer = Buffer.alloc(Math.min(READ_BYTES, position));
    position -= buffer.length;
    const bytesRead = await file.read(buffer, position);
    let chunk: Buffer = Buffer.concat([buffer.subarray(0, bytesRead), carry]);
    for (let end = chunk.length; end > 0; ) {
      const before = chunk.lastIndexOf(NEWLINE, end - 2);
      if ((end === 1 || before < 0) && position > 0) {
        chunk = chunk.subarray(0, end);
        break;
      }
      const record = parseRecord(chunk.subarray(before + 1, end - 1));
      // The last record may be a piece: a line in the making counts as one.
      if (record?.full || (record !== undefined && start === size)) {
        seen += 1;
        if (seen > lines) return start;
      }
      start = position + before + 1;
      end = before + 1;
      chunk = chunk.subarray(0, end);
    }
    carry = chunk;
  }
  return 0;
}

/** The log's bytes in blocks of whole lines, each a buffer of its own. */
async function* readBlocks(
  file: LogFile,
  {
    start,
    end,
    follow,
  }: { readonly start: number; readonly end: number | undefined; readonly follow: LogWindow['follow'] },
): AsyncGenerator<Buffer> {
  using changes = follow === undefined ? undefined : watchChanges(file, follow);
  let ended = false;
  using _end = follow?.onEnd(() => {
    ended = true;
    changes?.wake();
  });
  let position = start;
  let carry: Buffer = Buffer.alloc(0);
  for (;;) {
    if (follow?.signal.aborted) return;
    // Seen before the last read, so that what was written until the end is not missed.
    const wasEnded = ended;
    const left = end === undefined ? READ_BYTES : Math.min(READ_BYTES, end - position);
    const buffer = Buffer.allocUnsafe(Math.max(0, left));
    const bytesRead = await file.read(buffer, position);
    if (bytesRead > 0) {
      position += bytesRead;
      file.forget(position);
      const read = buffer.subarray(0, bytesRead);
      const last = read.lastIndexOf(NEWLINE) + 1;
      if (last > 0)
        yield carry.length === 0 ? read.subarray(0, last) : Buffer.concat([carry, read.subarray(0, last)]);
      carry = last > 0 ? read.subarray(last) : Buffer.concat([carry, read]);
      continue;
    }
    if (changes === undefined || wasEnded) return;
    if (!ended) await changes.next();
  }
}

/** Tells when a file may have grown. Wake-ups that come before `next` is called are not lost. */
function watchChanges(file: LogFile, { signal, keepsAll }: Follow) {
  let pending = false;
  let resume: (() => void) | undefined;
  const wake = () => {
    pending = true;
    resume?.();
  };
  // A log that is gone grows no more; what was written is read through the open handle, up to the container's end.
  const watcher = watchName(file.path, () => {
    if (keepsAll === true) file.catchUp();
    wake();
  });
  signal.addEventListener('abort', wake);
  return {
    wake,
    async next(): Promise<void> {
      if (!pending) {
        await new Promise<void>((resolve) => {
          resume = resolve;
        });
      }
      resume = undefined;
      pending = false;
    },
    [Symbol.dispose]() {
      watcher?.close();
      signal.removeEventListener('abort', wake);
    },
  };
}

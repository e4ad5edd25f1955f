import { errorBody, toBerthError } from '../api/errors.ts';
import type { ProgressLine } from '../api/wire.ts';
import type { Reply } from './exchange.ts';

/**
 * Progress on its way from a pull to a client. The pull never waits for the client: of a layer's byte counts that
 * a slow client has not read yet only the newest is kept, so that what is held is bounded by the number of layers.
 */
type Progress = {
  readonly write: (line: ProgressLine) => void;
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
  /** Settles with the first line or the end; rejects where it failed before. */
  readonly begun: Promise<void>;
  /** JSON lines, as dockerd writes them. Throws what the pull failed with. */
  readonly lines: AsyncIterable<string>;
};

export /** Answers with the progress of some work, from its first line on: until then there is a status to say a failure with. */
async function withProgress(work: (onProgress: Progress['write']) => Promise<unknown>): Promise<Reply> {
  const progress = openProgress();
  work(progress.write).then(progress.end, progress.fail);
  await progress.begun;
  return { kind: 'stream', contentType: 'application/json', chunks: progress.lines, failure: failureLine };
}

export function openProgress(): Progress {
  const begun = Promise.withResolvers<void>();
  let waiting: ProgressLine[] = [];
  let outcome: 'going' | 'ended' | { readonly error: unknown } = 'going';
  let wake = () => {};

  function write(line: ProgressLine): void {
    const last = isCount(line) ? waiting.findLastIndex((other) => other.id === line.id) : -1;
    if (last >= 0 && isCount(waiting[last]) && waiting[last]?.status === line.status) waiting[last] = line;
    else waiting.push(line);
    begun.resolve();
    wake();
  }

  async function* lines(): AsyncGenerator<string> {
    for (;;) {
      const batch = waiting;
      waiting = [];
      if (batch.length > 0) {
        yield batch.map((line) => `${JSON.stringify(line)}\r\n`).join('');
        continue;
      }
      if (outcome === 'ended') return;
      if (outcome !== 'going') throw outcome.error;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    write,
    end: () => {
      outcome = 'ended';
      begun.resolve();
      wake();
    },
    fail: (error) => {
      outcome = { error };
      begun.reject(error);
      wake();
    },
    begun: begun.promise,
    lines: lines(),
  };
}

const isCount = (line: ProgressLine | undefined) => line?.progressDetail?.current !== undefined;

/** How a pull that fails after its first line says so: Docker's two fields, and Berth's code and hint. */
export function failureLine(thrown: unknown): string {
  const { message, code, hint } = errorBody(toBerthError(thrown));
  const line: ProgressLine = {
    errorDetail: { message },
    error: message,
    ...(code === undefined ? {} : { code }),
    ...(hint === undefined ? {} : { hint }),
  };
  return `${JSON.stringify(line)}\r\n`;
}

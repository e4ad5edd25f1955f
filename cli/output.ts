import { once } from 'node:events';
import type { WriteStream } from 'node:tty';
import { isErrno } from '../engine/api/errors.ts';

type Style = (text: string) => string;

/** Standard output or standard error. */
export type Output = {
  readonly stream: NodeJS.WriteStream;
  readonly isTerminal: boolean;
  /** Colours, where a terminal shows them and NO_COLOR does not forbid them; else the text as it is. */
  readonly style: Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'yellow', Style>>;
  /** Cells in a line: the terminal's, or 80. */
  columns(): number;
  /** Writes a line. */
  line(text: string): void;
  /** Writes bytes, and waits while whoever reads them is slower than we are. */
  write(data: Uint8Array | string): Promise<void>;
};

const DEFAULT_COLUMNS = 80;

/** Wraps a standard stream. See https://no-color.org for the rule on colours. */
export function openOutput(
  stream: NodeJS.WriteStream,
  env: Readonly<Record<string, string | undefined>>,
): Output {
  const isTerminal = stream.isTTY === true;
  const coloured = isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
  const sgr =
    (on: number, off: number): Style =>
    (text) =>
      coloured && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    stream,
    isTerminal,
    style: { bold: sgr(1, 22), dim: sgr(2, 22), red: sgr(31, 39), green: sgr(32, 39), yellow: sgr(33, 39) },
    columns: () => (isTerminal && (stream as WriteStream).columns) || DEFAULT_COLUMNS,
    line(text) {
      stream.write(`${text}\n`);
    },
    async write(data) {
      if (!stream.write(data)) await once(stream, 'drain');
    },
  };
}

/** Ends the process quietly when whoever reads its output went away: `berth logs -f web | head`. */
export function endOnClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error) => {
    process.exit(isErrno(error, 'EPIPE') ? 0 : 1);
  });
}

/** Settles once all that was written is in the kernel's hands; then the process may exit. */
export function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else stream.write('', () => resolve());
  });
}

import { formatSize } from '../../engine/api/sizes.ts';
import type { Output } from '../output.ts';

const EVERY_MS = 100;

export type Counted = Disposable & {
  readonly pass: (source: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>;
  /** Bytes that went by so far. */
  readonly bytes: () => number;
};

/** Counts the bytes of an archive that goes by, and shows them on a terminal while they do. */
export function countBytes(
  stderr: Output,
  options: { readonly doing: string; readonly quiet: boolean },
): Counted {
  const shows = stderr.isTerminal && !options.quiet;
  let bytes = 0;
  let lastMs = 0;
  return {
    bytes: () => bytes,
    async *pass(source) {
      for await (const chunk of source) {
        bytes += chunk.length;
        const now = performance.now();
        if (shows && now - lastMs > EVERY_MS) {
          lastMs = now;
          stderr.stream.write(`\r\x1b[2K${options.doing} - ${formatSize(bytes)}`);
        }
        yield chunk;
      }
    },
    [Symbol.dispose]() {
      if (lastMs > 0) stderr.stream.write('\r\x1b[2K');
    },
  };
}

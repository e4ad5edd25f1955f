import { createInterface } from 'node:readline';
import type { Context } from './command.ts';

/**
 * Asks on standard error whether to go on, and reads one line of standard input. Anything but `y` or `yes` is a no, and
 * so is the end of the input.
 */
export async function confirm(
  { stdin, stderr, signals }: Pick<Context, 'stdin' | 'stderr' | 'signals'>,
  warning: string,
): Promise<boolean> {
  await stderr.write(
    `${stderr.style.yellow('WARNING!')} ${warning}\nAre you sure you want to continue? [y/N] `,
  );
  const lines = createInterface({ input: stdin() });
  const stop = () => lines.close();
  signals.cancelled.addEventListener('abort', stop, { once: true });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    signals.cancelled.removeEventListener('abort', stop);
    lines.close();
  }
}

import { type BerthError, toBerthError } from '../engine/api/errors.ts';
import type { Context } from './command.ts';
import { printable } from './printable.ts';

/** How many things a command works on at once. */
const AT_ONCE = 16;

/**
 * Does the same to each name, several at once, and prints the results in the order of the names. One that fails
 * is told on standard error and does not stop the others. Gives the exit code: 1 where anything failed.
 */
export async function doToEach(
  context: Context,
  names: readonly string[],
  act: (name: string) => Promise<string | undefined>,
): Promise<number> {
  const waiting = names.map((name) => ({ name, ...Promise.withResolvers<string | undefined>() }));
  // Each is awaited in its turn; until then its failure is not an unhandled one.
  for (const { promise } of waiting) promise.catch(() => {});
  const queue = waiting.values();
  const work = async () => {
    for (const { name, resolve } of queue) {
      const result = act(name);
      resolve(result);
      await result.catch(() => {});
    }
  };
  for (let worker = 0; worker < Math.min(AT_ONCE, names.length); worker++) void work();
  let failed = false;
  for (const { promise } of waiting) {
    try {
      const text = await promise;
      if (text !== undefined) context.stdout.line(text);
    } catch (thrown) {
      const error = toBerthError(thrown);
      if (error.code === 'cancelled') throw error;
      failed = true;
      complain(context, error);
    }
  }
  return failed ? 1 : 0;
}

/** Says on standard error what went wrong, and what to do about it. */
export function complain({ stderr }: Pick<Context, 'stderr'>, error: BerthError): void {
  stderr.line(`${stderr.style.red('berth:')} ${printable(error.message, { lines: true })}`);
  if (error.hint !== undefined) stderr.line(stderr.style.dim(`  try: ${printable(error.hint)}`));
}

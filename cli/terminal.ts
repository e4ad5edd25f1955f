import { toBerthError } from '../engine/api/errors.ts';
import type { Context } from './command.ts';

/** Puts the terminal into raw mode, so that every key goes to the container, until the result is disposed of. */
export function enterRawMode(stdin: NodeJS.ReadStream): Disposable {
  const restore = () => stdin.setRawMode(false);
  stdin.setRawMode(true);
  // Whatever ends the process, a shell must get its terminal back as it was.
  process.once('exit', restore);
  return {
    [Symbol.dispose]() {
      process.removeListener('exit', restore);
      restore();
    },
  };
}

const FIRST_RESIZE_TRIES = 10;
const BETWEEN_TRIES_MS = 10;

/**
 * Gives a program's terminal the size of ours, now and whenever it changes (SIGWINCH), until disposed of. `set` tells
 * the engine. `redraw` makes the size differ for a moment first, so that a program that draws the whole screen does so
 * again.
 */
export function followWindowSize(
  { stdout }: Pick<Context, 'stdout'>,
  set: (size: { readonly height: number; readonly width: number }) => Promise<unknown>,
  options: { readonly redraw?: boolean } = {},
): Disposable {
  const { stream } = stdout;
  let ended = false;
  async function resize(extraRows = 0): Promise<void> {
    await set({ height: stream.rows + extraRows, width: stream.columns });
  }
  async function resizeFirst(): Promise<void> {
    for (let attempt = 0; attempt < FIRST_RESIZE_TRIES && !ended; attempt++) {
      try {
        if (options.redraw) await resize(1);
        return await resize();
      } catch (error) {
        // The terminal is made while the container starts; one that ended already has no size to set.
        if (toBerthError(error).code === 'unavailable') return;
        await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS * (attempt + 1)));
      }
    }
  }
  // One after another: two requests at once may overtake each other, and the older size would stay.
  let told = Promise.resolve();
  const onResize = () => {
    told = told.then(() => resize()).catch(() => {});
  };
  if (stdout.isTerminal) {
    told = resizeFirst();
    stream.on('resize', onResize);
  }
  return {
    [Symbol.dispose]() {
      ended = true;
      stream.removeListener('resize', onResize);
    },
  };
}

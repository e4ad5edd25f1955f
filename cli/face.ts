import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BerthError } from '../engine/api/errors.ts';
import type { Context } from './command.ts';

/**
 * The contract between the command line and the two other faces. Each is a bundle of its own beside this one
 * (`ui.js`, `mcp.js`) that exports `main`: it gets the arguments after the command's name, with `--host HOST`
 * before them where one was given, and settles with the exit code once it has ended. It owns the standard streams
 * and the signals meanwhile. It is loaded by its place and not by name, so that no face is built into another.
 */
type Face = { readonly main: (argv: readonly string[]) => Promise<number> };

/** Runs another face in this process. Throws `unavailable` where it was not built. */
export async function runFace(
  context: Context,
  name: 'ui' | 'mcp',
  args: readonly string[],
): Promise<number> {
  const place = new URL(`${name}.js`, context.programs);
  if (!existsSync(fileURLToPath(place)))
    throw new BerthError('unavailable', `berth ${name} is not built: there is no ${fileURLToPath(place)}`, {
      hint: 'npm run build',
    });
  context.signals.stop();
  const face = (await import(place.href)) as Face;
  return face.main(context.host === undefined ? args : ['--host', context.host, ...args]);
}

import { chmodSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { ROOT } from './sources.ts';

/** The command `berth`: on every PATH, and before Debian's own directories. */
export const LAUNCHER = '/usr/local/bin/berth';

/** By this line a later installation knows its own. */
const MARK = '# The launcher of Berth, written by its quick start.';

const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;

/**
 * What the command `berth` executes, without the user's words. The signal is the command's own (`run` passes it on), and
 * without Node's listener for it, a thread, Node starts 4 ms sooner. Node looks for some of its own flags (--env-file)
 * behind the program's name too, but not behind the dashes.
 */
export function launched(): readonly [node: string, ...words: string[]] {
  return [realpathSync(execPath), '--disable-sigusr1', '--', join(ROOT, 'dist/berth.js')];
}

function launcherText(): string {
  return `#!/bin/sh\n${MARK}\nexec ${launched().map(quoted).join(' ')} "$@"\n`;
}

/**
 * Puts `berth` on the PATH, bound to this clone and to the Node that runs now: whichever `node` comes first on the
 * PATH does not matter. Throws where a file is there that isn't ours.
 */
export function installLauncher(): void {
  let there: string | undefined;
  try {
    there = readFileSync(LAUNCHER, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const text = launcherText();
  if (there === text) return;
  if (there !== undefined && !there.includes(MARK)) {
    throw new Error(`${LAUNCHER} is there already and is not ours; move it away and run this again`);
  }
  const temporary = `${LAUNCHER}.${process.pid}`;
  writeFileSync(temporary, text);
  chmodSync(temporary, 0o755);
  renameSync(temporary, LAUNCHER);
}

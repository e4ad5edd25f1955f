import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { BerthError } from '../api/errors.ts';

/** What a program said is cut at this many bytes, each of stdout and stderr. */
const MAX_OUTPUT = 4 * 1024 * 1024;

/**
 * Runs a program to its end, with its arguments as a list, and gives its standard output.
 * Throws `internal` with the last words of its standard error when it fails, `unavailable` when it isn't there.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly signal?: AbortSignal | undefined; readonly cwd?: string } = {},
): Promise<string> {
  const result = await execa(program, [...args], {
    reject: false,
    stripFinalNewline: false,
    maxBuffer: MAX_OUTPUT,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (!result.failed) return result.stdout;
  if (result.code === 'ENOENT') {
    throw new BerthError('unavailable', `the program ${program} is not installed`, {
      hint: `install the package that has ${program}`,
      cause: result,
    });
  }
  if (result.isCanceled) throw new BerthError('cancelled', `${program} was cancelled`, { cause: result });
  const words = result.stderr.trim().split('\n').slice(-3).join('; ');
  throw new BerthError(
    'internal',
    `${program} ${args[0] ?? ''} failed: ${words || `exit code ${result.exitCode ?? result.signal}`}`,
    {
      cause: result,
    },
  );
}

/** Where the administrator's programs are, whatever PATH the engine was started with. */
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The full path of a program; undefined where it isn't installed. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of [...(process.env.PATH ?? '').split(':').filter(Boolean), ...SYSTEM_PATH]) {
    const path = join(directory, name);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // Not there, or not ours to run: the next directory may have it.
    }
  }
  return undefined;
}

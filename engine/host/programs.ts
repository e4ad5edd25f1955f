import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError, isErrno } from '../api/errors.ts';
import { type Started, startProgram } from './spawn.ts';

/** What a program says of this is kept, each of stdout and stderr; one that says more is ended. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

/**
 * Runs a program to its end, with its arguments as a list, and gives its standard output.
 * Throws `internal` with the last words of its standard error when it fails, and all of it in the error's cause,
 * `unavailable` when it isn't there, `cancelled` when `signal` ended it.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly input?: string; readonly signal?: AbortSignal | undefined; readonly cwd?: string } = {},
): Promise<string> {
  options.signal?.throwIfAborted();
  const path = program.startsWith('/') ? program : await findProgram(program);
  const started = path === undefined ? undefined : startUnlessMissing(path, args, options);
  if (started === undefined) {
    throw new BerthError('unavailable', `the program ${program} is not installed`, {
      hint: `install the package that has ${program}`,
    });
  }
  const { pipes, pid, ended } = started;
  // One that ends without reading it: its exit code says why.
  pipes
    .get(0)
    ?.on('error', () => undefined)
    .end(options.input ?? '');
  let running = true;
  ended.then(() => {
    running = false;
  });
  const stop = () => {
    if (running) process.kill(pid, 'SIGTERM');
  };
  options.signal?.addEventListener('abort', stop, { once: true });
  // It may have been cancelled while the program was looked for.
  if (options.signal?.aborted) stop();
  try {
    const [stdout, stderr, exitCode] = await Promise.all([
      readAll(pipes.get(1), stop),
      readAll(pipes.get(2), stop),
      ended,
    ]);
    if (options.signal?.aborted) throw new BerthError('cancelled', `${program} was cancelled`);
    if (exitCode === 0) return stdout;
    const words = stderr.trim().split('\n').slice(-3).join('; ');
    throw new BerthError(
      'internal',
      `${program} ${args[0] ?? ''} failed: ${words || `exit code ${exitCode}`}`,
      { cause: { stderr, exitCode } },
    );
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

function startUnlessMissing(
  path: string,
  args: readonly string[],
  options: { readonly input?: string; readonly cwd?: string },
): Started | undefined {
  const output = { 1: 'read', 2: 'read' } as const;
  const pipes = options.input === undefined ? output : ({ 0: 'write', ...output } as const);
  try {
    return startProgram(path, { args, pipes, cwd: options.cwd });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function readAll(pipe: Readable | undefined, stop: () => void): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of (pipe ?? []) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_OUTPUT_BYTES) stop();
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Where the administrator's programs are, whatever PATH the engine was started with. */
const SYSTEM_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

const found = new Map<string, string>();

/** The full path of a program; undefined where it isn't installed. One that was found is not looked for again. */
export async function findProgram(name: string): Promise<string | undefined> {
  const known = found.get(name);
  if (known !== undefined) return known;
  for (const directory of [...(process.env.PATH ?? '').split(':').filter(Boolean), ...SYSTEM_PATH]) {
    const path = join(directory, name);
    try {
      await access(path, constants.X_OK);
      found.set(name, path);
      return path;
    } catch {
      // Not there, or not ours to run: the next directory may have it.
    }
  }
  return undefined;
}

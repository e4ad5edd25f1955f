import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { TestOutcome } from './report-events.ts';
import { ROOT } from './sources.ts';

/**
 * A single test, and so any wait in one, ends after this; then the file goes on with its next. One that holds others
 * counts as one, on whatever machine: it is there to end what hangs, not what is slow.
 */
const TEST_LIMIT_MS = 600_000;
/** A file ends after this, with everything that it started and did not detach. */
const FILE_LIMIT_MS = 900_000;
/** What a file's tests and their programs print is kept up to this, for when it fails. */
const MAX_OUTPUT_BYTES = 16 * 1024;

export type FileResult = {
  readonly file: string;
  readonly outcomes: readonly TestOutcome[];
  /** What is wrong with the file as a whole, whatever its tests said. */
  readonly trouble?: string;
  readonly output: string;
  readonly tookMs: number;
};

/**
 * Runs a test file in a process and a process group of its own. `run` names the test run, for its leftovers.
 * When `signal` is aborted the file is ended.
 */
export async function runTestFile(
  file: string,
  options: { readonly run: string; readonly signal: AbortSignal },
): Promise<FileResult> {
  const startedMs = performance.now();
  const reporter = join(ROOT, 'workshop/report-events.ts');
  const child = spawn(
    execPath,
    [
      `--test-timeout=${TEST_LIMIT_MS}`,
      `--test-reporter=${reporter}`,
      '--test-reporter-destination=stdout',
      file,
    ],
    {
      cwd: ROOT,
      // A group of its own, so that its end is the end of its children too.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // Node's own runner sets NODE_TEST_CONTEXT where it runs this; the file would then talk to that one.
      env: {
        ...process.env,
        BERTH_TEST_RUN: options.run,
        NODE_TEST_CONTEXT: undefined,
        // Each file and each engine loads some hundred modules that the one before has compiled.
        NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/compiled'),
      },
    },
  );
  let output = '';
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString('utf8')).slice(-MAX_OUTPUT_BYTES);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const outcomes: TestOutcome[] = [];
  // Node lets no child inherit descriptor 3, so this ends with the file, whatever that leaves running.
  const told = (async () => {
    const events = child.stdio[3];
    if (!(events instanceof Readable)) throw new Error('a pipe was asked for');
    for await (const line of createInterface({ input: events }))
      outcomes.push(JSON.parse(line) as TestOutcome);
  })();
  let overdue = false;
  const end = () => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const limit = setTimeout(() => {
    overdue = true;
    end();
  }, FILE_LIMIT_MS);
  options.signal.addEventListener('abort', end, { once: true });
  const [code, signal] = await new Promise<readonly [number | null, NodeJS.Signals | null]>((done, fail) => {
    child.once('error', fail);
    // Not «close»: a program that outlives the file holds its pipes, and is told as a leftover.
    child.once('exit', (...how) => done(how));
  });
  await told;
  clearTimeout(limit);
  options.signal.removeEventListener('abort', end);
  child.stdout?.destroy();
  child.stderr?.destroy();
  const failed = outcomes.some(({ outcome }) => outcome === 'failed');
  const trouble = overdue
    ? `did not end within ${FILE_LIMIT_MS / 1000} s`
    : signal !== null
      ? `was ended by ${signal}`
      : code !== 0 && !failed
        ? `ended with exit code ${code}`
        : outcomes.length === 0
          ? 'has no tests'
          : undefined;
  return {
    file,
    outcomes,
    ...(trouble === undefined ? {} : { trouble }),
    output: output.trim(),
    tookMs: performance.now() - startedMs,
  };
}

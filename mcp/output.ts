import { CONTENT_BYTES, fitEnd, wireBytes } from './budget.ts';
import { keepTail, type LineTail, readLogLines } from './log-lines.ts';
import type { Engine } from './tool.ts';

/** What a container wrote, the end of it where it is more than a result may hold. */
export type Output = { readonly stdout: string; readonly stderr: string; readonly truncated: boolean };

const MAX_LINES = 2000;

/** Reads the end of what a container without a terminal has written. */
export async function readOutput(
  engine: Engine,
  container: { readonly id: string; readonly signal: AbortSignal },
): Promise<Output> {
  const read = (stdout: boolean, stderr: boolean, tail: string) =>
    readTails(engine, { id: container.id, stdout, stderr, tail }, container.signal);
  let { stdout, stderr } = await read(true, true, String(MAX_LINES + 1));
  if (stdout.dropped || stderr.dropped) {
    // Engines count a tail over both streams, whichever is asked for: where one is long, the end of the other
    // can lie anywhere before it.
    if (wireBytes(stdout.text) < CONTENT_BYTES / 2) stdout = (await read(true, false, 'all')).stdout;
    if (wireBytes(stderr.text) < CONTENT_BYTES / 2) stderr = (await read(false, true, 'all')).stderr;
  }
  const shown = share(stdout.text, stderr.text);
  const truncated =
    stdout.dropped ||
    stderr.dropped ||
    shown.stdout.length < stdout.text.length ||
    shown.stderr.length < stderr.text.length;
  return { ...shown, truncated };
}

type Tail = { readonly text: string; readonly dropped: boolean };

async function readTails(
  engine: Engine,
  wanted: { readonly id: string; readonly stdout: boolean; readonly stderr: boolean; readonly tail: string },
  signal: AbortSignal,
): Promise<{ readonly stdout: Tail; readonly stderr: Tail }> {
  const limits = { maxLines: MAX_LINES, maxBytes: CONTENT_BYTES, timestamps: false };
  const kept = { stdout: keepTail(limits), stderr: keepTail(limits) };
  let count = 0;
  const log = await engine.logs(wanted, { signal });
  await readLogLines(log, { tty: false, timestamps: false }, (line) => {
    kept[line.stream].push(line);
    count += 1;
  });
  signal.throwIfAborted();
  const more = wanted.tail !== 'all' && count > MAX_LINES;
  const finish = (tail: LineTail): Tail => {
    const { lines, dropped } = tail.finish();
    return { text: lines.map(({ text }) => `${text}\n`).join(''), dropped: dropped || more };
  };
  return { stdout: finish(kept.stdout), stderr: finish(kept.stderr) };
}

/** Gives both streams room: all they need where it suffices, half each where both are long. */
function share(stdout: string, stderr: string): Omit<Output, 'truncated'> {
  const half = CONTENT_BYTES / 2;
  const errors = fitEnd(stderr, Math.max(half, CONTENT_BYTES - wireBytes(stdout)));
  return { stdout: fitEnd(stdout, CONTENT_BYTES - wireBytes(errors)), stderr: errors };
}

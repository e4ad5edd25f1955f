import { constants } from 'node:os';
import { toBerthError } from '../api/errors.ts';
import type { HealthProbe } from '../api/wire/health.ts';
import { identifyProcess, type ProcessIdentity, signalTree } from '../host/processes.ts';
import type { ExecProcess } from '../runtime/exec-process.ts';
import type { Context } from './context.ts';
import { createExec, runExec } from './exec.ts';
import type { ContainerRecord } from './record.ts';

/** As docker has it: so much of a probe's output is kept. */
const MAX_OUTPUT_BYTES = 4096;
/** The exit code of a probe that has none of its own. */
const NO_EXIT_CODE = -1;

/**
 * Runs a probe in a container to its end, or kills it when its time is over. `began` is told of its process.
 * Undefined where `signal` aborted: the container has ended, or is paused.
 */
export async function runProbe(
  context: Context,
  record: ContainerRecord,
  probe: {
    readonly args: readonly [string, ...string[]];
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
    readonly began: (process: ProcessIdentity) => void;
  },
): Promise<HealthProbe | undefined> {
  const start = new Date().toISOString();
  const result = (exitCode: number, output: string): HealthProbe | undefined =>
    probe.signal.aborted
      ? undefined
      : { Start: start, End: new Date().toISOString(), ExitCode: exitCode, Output: output };
  const config = {
    ...{ args: probe.args, env: [], user: '', workingDir: '', tty: false, privileged: false },
    ...{ stdin: false, stdout: true, stderr: true },
  };
  try {
    const process = await runExec(context, record, createExec(context, record, config), config);
    await process.started;
    const identity = identifyProcess(process.pid());
    if (identity !== undefined) probe.began(identity);
    const output = collect(process);
    const timedOut = await endsWithin(process.ended, probe.timeoutMs, probe.signal);
    if (timedOut) {
      if (identity !== undefined) signalTree(identity, constants.signals.SIGKILL);
      process.discard();
      const said = output.text();
      return result(
        NO_EXIT_CODE,
        `Health check exceeded timeout (${describeDuration(probe.timeoutMs)})${said === '' ? '' : `: ${said}`}`,
      );
    }
    await output.whole;
    return result(await process.ended, output.text());
  } catch (error) {
    return result(NO_EXIT_CODE, toBerthError(error).message);
  }
}

/** The beginning of what a process writes; the rest is read and dropped. */
function collect(process: ExecProcess): { readonly whole: Promise<void>; text(): string } {
  const kept: Buffer[] = [];
  let length = 0;
  const whole = (async () => {
    for await (const { data } of process.output) {
      if (length < MAX_OUTPUT_BYTES) kept.push(data.subarray(0, MAX_OUTPUT_BYTES - length));
      length += data.length;
    }
  })();
  return {
    whole,
    text: () => Buffer.concat(kept).toString('utf8') + (length > MAX_OUTPUT_BYTES ? '...' : ''),
  };
}

/** True where the time, or what `signal` stands for, came first. */
async function endsWithin(ended: Promise<unknown>, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const give = () => resolve(true);
  const timer = setTimeout(give, timeoutMs);
  signal.addEventListener('abort', give, { once: true });
  ended.then(
    () => resolve(false),
    () => resolve(false),
  );
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', give);
  }
}

/** As Go writes a duration: `30s`, `1m30s`, `500ms`. */
export function describeDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const seconds = `${(ms % 60_000) / 1000}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes === 0) return seconds;
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`;
}

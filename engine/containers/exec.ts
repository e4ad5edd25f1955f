import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { BerthError, isErrno, toBerthError } from '../api/errors.ts';
import type { StreamFrame } from '../api/multiplex.ts';
import type { ExecCreateBody, ExecInspect, ExecStartBody } from '../api/wire/exec.ts';
import { type ExecProcess, startExec } from '../runtime/exec-process.ts';
import type { Attachment } from './attachment.ts';
import type { Context } from './context.ts';
import { execProcessSpec, readExecBody, readExecStart } from './exec-spec.ts';
import type { ExecConfig, ExecRecord } from './exec-store.ts';
import { isPaused, notRunning, restarting } from './pause.ts';
import type { ContainerRecord } from './record.ts';

export type ExecApi = {
  /**
   * Prepares a program to run in a container. `detachKeys` are those given with it.
   * Throws `invalid`, `notFound`, and `conflict` for a container that does not run or is paused.
   */
  createExec(name: string, body: ExecCreateBody, detachKeys?: readonly number[]): { readonly Id: string };
  /**
   * Runs a prepared program. Detached it settles when the program runs, and throws what the start failed with: then
   * `invalid` for a program that is not there or can't be executed. Otherwise it gives the streams at once; a start
   * that fails is written to them, and told by the exit code: that is what clients read.
   * Throws `notFound`, and `conflict` for one that runs or has run already.
   */
  startExec(
    id: string,
    body: ExecStartBody,
  ): Promise<
    { readonly attachment: Attachment; readonly detachKeys: readonly number[] | undefined } | undefined
  >;
  /** Throws `notFound`, and `conflict` for one that does not run. */
  resizeExec(id: string, size: { readonly height: number; readonly width: number }): Promise<void>;
  /** Throws `notFound`. */
  inspectExec(id: string): ExecInspect;
};

/** What a shell answers for a program that is not there, and for one that can't be run. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_RUN = 126;
const ID_BYTES = 32;
/** Of an exec's id, in the name of its directory: a socket in it has a name of at most 108 bytes. */
const SHORT_ID = 16;

/** Programs that are run in running containers. */
export function containerExec(context: Context): ExecApi {
  const { execs, store } = context;
  return {
    createExec(name, body, detachKeys) {
      const config = readExecBody(body);
      const record = store.find(name);
      requireRunning(record, name);
      return { Id: createExec(context, record, config, detachKeys).id };
    },

    async startExec(id, body) {
      const exec = execs.find(id);
      const { detach, tty, consoleSize } = readExecStart(body);
      const record = store.byId(exec.containerId);
      if (record === undefined) throw new BerthError('notFound', `No such exec instance: ${id}`);
      requireUnstarted(exec);
      requireRunning(record, record.id);
      const config = consoleSize === undefined ? exec.config : { ...exec.config, consoleSize };
      const held = detach ? { ...config, stdin: false, stdout: false, stderr: false } : config;
      const running = runExec(context, record, exec, held);
      if (detach) {
        await (await running).started;
        return undefined;
      }
      const attachment = await running.then(
        (process) => ({
          ...attachmentOf(process, tty),
          detached: () => context.record(record, 'exec_detach', { execID: id }),
        }),
        (error: unknown) => failedAttachment(error, tty),
      );
      return { attachment, detachKeys: config.tty ? exec.detachKeys : [] };
    },

    async resizeExec(id, { height, width }) {
      const { life } = execs.find(id);
      if (life.status !== 'running') throw new BerthError('conflict', `exec instance ${id} is not running`);
      life.process.resize({ rows: height, columns: width });
    },

    inspectExec(id) {
      const { life, config, user, containerId, detachKeys } = execs.find(id);
      const [entrypoint, ...args] = config.args;
      return {
        ID: id,
        Running: life.status === 'running' || life.status === 'starting',
        ExitCode: life.status === 'ended' ? life.exitCode : null,
        ProcessConfig: {
          tty: config.tty,
          entrypoint,
          arguments: args,
          privileged: config.privileged,
          ...(user === '' ? {} : { user }),
        },
        OpenStdin: config.stdin,
        OpenStderr: config.stderr,
        OpenStdout: config.stdout,
        CanRemove: false,
        ContainerID: containerId,
        DetachKeys: Buffer.from(detachKeys ?? []).toString('base64'),
        Pid: life.status === 'running' ? life.process.pid() : life.status === 'ended' ? life.pid : 0,
      };
    },
  };
}

/** Makes the record of a program that is to run, and its event. */
export function createExec(
  context: Context,
  record: ContainerRecord,
  config: ExecConfig,
  detachKeys?: readonly number[],
): ExecRecord {
  const exec: ExecRecord = {
    id: randomBytes(ID_BYTES).toString('hex'),
    containerId: record.id,
    config,
    user: config.user || record.config.User || '',
    detachKeys,
    life: { status: 'created' },
  };
  context.execs.add(exec);
  context.record(record, `exec_create: ${commandOf(config)}`, { execID: exec.id });
  return exec;
}

/**
 * Starts it, and writes its end down when it comes. `held` is its config with the streams that somebody holds. Throws
 * what the preparations fail with; a program that can't be started shows at the process's `started` and `ended`.
 */
export async function runExec(
  context: Context,
  record: ContainerRecord,
  exec: ExecRecord,
  held: ExecConfig,
): Promise<ExecProcess> {
  exec.life = { status: 'starting' };
  context.record(record, `exec_start: ${commandOf(held)}`, { execID: exec.id });
  try {
    const process = await startExec(context.runtime, {
      containerId: record.id,
      directory: join(context.runDir, 'execs', exec.id.slice(0, SHORT_ID)),
      process: await execProcessSpec(context, record, held),
      stdin: held.stdin,
      stdout: held.stdout,
      stderr: held.stderr,
      nullDevice: context.nullDevice,
    });
    exec.life = { status: 'running', process };
    // Before whoever else waits for the end: they find it written down.
    const ended = process.ended.then(
      (exitCode) => {
        end(exitCode, process.pid());
        context.record(record, 'exec_die', { execID: exec.id, exitCode: String(exitCode) });
        return exitCode;
      },
      (error: unknown) => {
        end(exitCodeOf(error), 0);
        throw overtaken(error);
      },
    );
    ended.catch(() => undefined);
    const started = process.started.catch((error: unknown) => {
      throw overtaken(error);
    });
    started.catch(() => undefined);
    return { ...process, started, ended };
  } catch (error) {
    end(EXIT_NOT_RUN, 0);
    throw overtaken(error);
  }

  function end(exitCode: number, pid: number): void {
    exec.life = { status: 'ended', exitCode, pid };
    context.execs.forgetLater(exec);
  }

  /** The container ended meanwhile: the runtime's words, or a bundle that is gone, say less than that. */
  function overtaken(error: unknown): unknown {
    const gone = isErrno(error, 'ENOENT') || toBerthError(error).code === 'internal';
    return gone && record.life.status !== 'running' ? notRunning(record) : error;
  }
}

function exitCodeOf(error: unknown): number {
  return /executable file not found/.test(toBerthError(error).message) ? EXIT_NOT_FOUND : EXIT_NOT_RUN;
}

const commandOf = ({ args: [program, ...rest] }: ExecConfig) => `${program} ${rest.join(' ')}`;

/** A client's hold on the streams of a program. */
function attachmentOf(process: ExecProcess, tty: boolean): Attachment {
  return {
    tty,
    output: outputOf(process),
    input: process.input,
    close() {
      // The program goes on, as docker has it: nobody writes to it then, and what it writes is dropped.
      process.input?.end();
      process.discard();
    },
  };
}

async function* outputOf(process: ExecProcess): AsyncGenerator<StreamFrame> {
  try {
    // Until the program runs, what comes is the runtime's own words.
    await process.started;
  } catch (error) {
    process.discard();
    yield failureFrame(error);
    return;
  }
  yield* process.output;
}

function failedAttachment(error: unknown, tty: boolean): Attachment {
  async function* output() {
    yield failureFrame(error);
  }
  return { tty, output: output(), input: undefined, close: () => undefined };
}

/** How a client that holds the streams learns of a start that failed: in a line, as dockerd writes it. */
function failureFrame(error: unknown): StreamFrame {
  return { stream: 'stdout', data: Buffer.from(`${toBerthError(error).message}\r\n`) };
}

function requireUnstarted({ id, life }: ExecRecord): void {
  if (life.status === 'ended') throw new BerthError('conflict', `Error: Exec command ${id} has already run`);
  if (life.status !== 'created')
    throw new BerthError('conflict', `Error: Exec command ${id} is already running`);
}

function requireRunning(record: ContainerRecord, name: string): void {
  if (record.life.status === 'restarting') throw restarting(record);
  if (record.life.status !== 'running') throw notRunning(record);
  if (isPaused(record))
    throw new BerthError('conflict', `Container ${name} is paused, unpause the container before exec`, {
      hint: `berth unpause ${record.name}`,
    });
}

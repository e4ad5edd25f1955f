import { once } from 'node:events';
import { type FSWatcher, mkdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { BerthError, isErrno } from '../api/errors.ts';
import type { StreamFrame } from '../api/multiplex.ts';
import { receiveDescriptor, setWindowSize } from '../host/descriptors.ts';
import { type Started, startProgram } from '../host/spawn.ts';
import { type OutputSource, readOutput } from './exec-output.ts';
import { startFailure } from './monitor.ts';
import type { OciRuntime } from './oci.ts';

/** A process that is to run in a container that runs already. */
export type ExecRequest = {
  readonly containerId: string;
  /** A directory of its own for this exec, to be made and removed here. Short: a socket's path is in it. */
  readonly directory: string;
  /** The OCI spec's `process`. */
  readonly process: { readonly args: readonly string[]; readonly terminal: boolean };
  /** Which of its streams somebody holds; the others are a null device. With a terminal all go through it. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** A null device that may change hands; undefined where there is none. */
  readonly nullDevice: string | undefined;
};

export type ExecProcess = {
  /** The process's id on the host; 0 while it is not known. */
  pid(): number;
  /** Settles when the program runs. Rejects as `ended` does. */
  readonly started: Promise<void>;
  /** The exit code. Rejects with what the runtime said where the program could not be started. */
  readonly ended: Promise<number>;
  /** What it writes, as fast as it is read; ends with the process. */
  readonly output: AsyncIterable<StreamFrame>;
  /** Reads and drops all output from now on, so that the process does not wait for a reader. */
  discard(): void;
  /** Where its input goes; ending it half-closes. Undefined where nobody holds it. */
  readonly input: NodeJS.WritableStream | undefined;
  /** Sets the size of its terminal; nothing without one. */
  resize(size: { readonly rows: number; readonly columns: number }): void;
};

/** How long crun may take from its connection to the socket to sending the terminal. */
const TERMINAL_TIMEOUT_MS = 10_000;

/**
 * Runs a process in a container with the OCI runtime itself, which stays until the process ends and gives its exit
 * code. Without a terminal its streams are pipes, with one the engine holds the terminal's other side: nothing stands
 * between it and the client, and nothing goes to the disk. See docs/decisions/0060-exec.md for what else was tried.
 */
export async function startExec(runtime: OciRuntime, request: ExecRequest): Promise<ExecProcess> {
  const { directory, process: wanted } = request;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const files = {
    process: join(directory, 'process.json'),
    pid: join(directory, 'pid'),
    log: join(directory, 'log'),
    console: join(directory, 'tty'),
  };
  writeFileSync(files.process, JSON.stringify(wanted));
  const launch: Launch = (options, pipes) =>
    startProgram(runtime.path, {
      args: [
        ...[...runtime.args, '--log', files.log, 'exec', '--process', files.process, '--pid-file', files.pid],
        ...[...options, request.containerId],
      ],
      cwd: '/',
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
      pipes,
      nullDevice: request.nullDevice,
      // Neither crun nor runc passes more than the standard streams on.
      heldToEnd: 3,
      // A group of its own: what is sent to the engine's is not for it.
      detached: true,
    });
  const pid = () => Number(readIfThere(files.pid)) || 0;
  const begun = watchForPid(directory, pid);
  try {
    const streams = wanted.terminal
      ? await openTerminal(request, files.console, launch)
      : openPipes(request, launch);
    let known = 0;
    const ended = streams.program.ended.then((code) => {
      known = pid();
      const words = readIfThere(files.log) ?? '';
      rmSync(directory, { recursive: true, force: true });
      if (known === 0) throw execFailure(wanted.args[0] ?? '', words);
      return code;
    });
    ended.catch(() => undefined);
    const started = Promise.race([begun.promise, ended.then(() => undefined)]);
    started.catch(() => undefined).finally(begun.close);
    const output = readOutput(streams.sources, ended);
    return { ...streams, pid: () => known || pid(), started, ended, ...output };
  } catch (error) {
    begun.close();
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

type Streams = {
  readonly program: Started;
  readonly sources: readonly OutputSource[];
  readonly input: NodeJS.WritableStream | undefined;
  resize(size: { readonly rows: number; readonly columns: number }): void;
};
type Pipes = Readonly<Record<number, 'read' | 'write'>>;
type Launch = (options: readonly string[], pipes: Pipes) => Started;

/** Without a null device what nobody holds is a pipe as well: one that is empty, or drained. */
function openPipes(request: ExecRequest, launch: Launch): Streams {
  const wanted = [request.stdin, request.stdout, request.stderr];
  const pipes = Object.fromEntries(
    wanted.flatMap((held, fd) =>
      held || request.nullDevice === undefined ? [[fd, fd === 0 ? 'write' : 'read']] : [],
    ),
  ) as Pipes;
  const program = launch([], pipes);
  const input = program.pipes.get(0);
  // EPIPE: the program closed its input, or has ended.
  input?.on('error', () => input.destroy());
  if (!request.stdin) input?.end();
  const sources = (['stdout', 'stderr'] as const).flatMap((stream, index) => {
    const socket = program.pipes.get(index + 1);
    return socket === undefined ? [] : [{ stream, socket, wanted: wanted[index + 1] === true }];
  });
  return { program, sources, input: request.stdin ? input : undefined, resize: () => undefined };
}

/** The runtime makes a terminal inside the container and sends its other side over a socket. */
async function openTerminal(request: ExecRequest, path: string, launch: Launch): Promise<Streams> {
  // Not read by Node: its reads would lose the descriptor.
  const server = createServer({ pauseOnConnect: true });
  server.listen(path);
  await once(server, 'listening');
  try {
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const program = launch(
      ['--console-socket', path],
      request.nullDevice === undefined ? { 0: 'write' } : {},
    );
    const first = await Promise.race([connected, program.ended.then(() => undefined)]);
    const none = { program, sources: [], input: undefined, resize: () => undefined };
    if (first === undefined) return none;
    const terminal = await receiveTerminal(first[0], program).finally(() => first[0].destroy());
    return terminal === undefined ? none : { program, ...holdTerminal(terminal, request) };
  } finally {
    server.close();
  }
}

function holdTerminal(terminal: number, request: ExecRequest): Omit<Streams, 'program'> {
  const socket = new ReadStream(terminal);
  let open = true;
  socket.on('close', () => {
    open = false;
  });
  return {
    sources: [{ stream: 'stdout', socket, wanted: request.stdout || request.stderr }],
    input: request.stdin ? inputOf(socket) : undefined,
    resize(size) {
      if (open) setWindowSize(terminal, size);
    },
  };
}

/** A client that ends its side doesn't end a terminal. */
function inputOf(terminal: ReadStream): Writable {
  const input = new Writable({
    write: (chunk: Buffer, _encoding, done) => void terminal.write(chunk, done),
  });
  // The terminal is gone: what was typed last is lost.
  input.on('error', () => input.destroy());
  return input;
}

/** The descriptor comes with a message moments after the connection; undefined where the runtime gives up instead. */
async function receiveTerminal(connection: Socket, program: Started): Promise<number | undefined> {
  // Node has no call that takes a descriptor off a socket, and none that gives the socket's number.
  const { fd } = (connection as Socket & { readonly _handle: { readonly fd: number } })._handle;
  const deadline = Date.now() + TERMINAL_TIMEOUT_MS;
  let ended = false;
  void program.ended.then(() => {
    ended = true;
  });
  while (Date.now() < deadline && !ended) {
    const terminal = receiveDescriptor(fd);
    if (terminal !== undefined) return terminal;
    await delay(1);
  }
  return undefined;
}

/** The runtime's words as dockerd writes them: clients look for them. */
function execFailure(program: string, words: string): BerthError {
  const { code, message, hint } = startFailure(program, words);
  const why = message.replace(/^the container did not start: /, '');
  return new BerthError(
    code === 'internal' && /no such file or directory|not a directory/i.test(why) ? 'invalid' : code,
    `OCI runtime exec failed: exec failed: unable to start container process: ${why}: unknown`,
    { hint },
  );
}

/** The runtime writes the process's id down when the program runs, and not before. */
function watchForPid(directory: string, pid: () => number): { promise: Promise<void>; close(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (pid() !== 0) resolve();
  };
  const watcher: FSWatcher = watch(directory, look);
  watcher.on('error', look);
  return { promise, close: () => watcher.close() };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

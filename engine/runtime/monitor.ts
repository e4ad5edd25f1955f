import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { BerthError } from '../api/errors.ts';
import { startProgram } from '../host/spawn.ts';
import type { OciRuntime } from './oci.ts';

/** One container's place below the run directory: conmon's bundle, its FIFOs and its sockets. */
export type MonitorPaths = {
  readonly bundle: string;
  readonly log: string;
  /** Where conmon leaves a file with the exit code, named by the container's id. */
  readonly exitDir: string;
};

export type MonitorRequest = MonitorPaths & {
  readonly id: string;
  /** Its mounts are seen on the host. */
  readonly sharesMounts: boolean;
  /** First word of the command, for messages. */
  readonly program: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Keep the container's input open when a client that wrote to it goes away. */
  readonly keepStdin: boolean;
};

/** conmon gives up on a runtime that says nothing; so does the engine, a little later. */
const CREATE_TIMEOUT_MS = 60_000;
const MAX_REPORT = 64 * 1024;
const SYNC_FD = 3;

/**
 * Starts a conmon that makes the container with the runtime and watches it until it ends, whatever becomes of the
 * engine. Gives the pid of the container's first process, which waits for `start`.
 * Throws what the runtime said.
 */
export async function createMonitored(
  conmon: string,
  runtime: OciRuntime,
  request: MonitorRequest,
): Promise<number> {
  using call = runtime.invocation({ sharing: request.sharesMounts });
  const { pipes } = startProgram(conmon, {
    cwd: request.bundle,
    detached: true,
    // _OCI_SYNCPIPE: where conmon reports the pid, or what went wrong (conmon(8)).
    env: { PATH: process.env.PATH, _OCI_SYNCPIPE: String(SYNC_FD), LC_ALL: 'C.UTF-8' },
    pipes: { 2: 'read', [SYNC_FD]: 'read' },
    args: [
      ...['--api-version', '1', '--cid', request.id, '--cuuid', request.id, '--name', request.id],
      ...['--bundle', request.bundle, '--container-pidfile', join(request.bundle, 'pid')],
      ...['--conmon-pidfile', join(request.bundle, 'conmon.pid'), '--persist-dir', request.bundle],
      ...['--runtime', call.program, ...call.args.flatMap((arg) => ['--runtime-arg', arg])],
      ...['--log-path', `k8s-file:${request.log}`, '--no-sync-log'],
      ...['--exit-dir', request.exitDir, '--full-attach'],
      ...(request.tty ? ['--terminal'] : []),
      ...(request.stdin ? ['--stdin'] : []),
      ...(request.keepStdin || request.tty ? ['--leave-stdin-open'] : []),
    ],
  });
  const [report, words] = await Promise.all([
    readReport(pipes.get(SYNC_FD) as Readable),
    readAll(pipes.get(2) as Readable),
  ]);
  if (report !== undefined && report.data > 0) return report.data;
  throw startFailure(request.program, report?.message ?? words);
}

type Report = { readonly data: number; readonly message?: string };

/** The first line on the sync pipe. conmon keeps the pipe open, so its end can't be awaited. */
async function readReport(pipe: Readable): Promise<Report | undefined> {
  const timer = setTimeout(
    () => pipe.destroy(new BerthError('internal', 'the runtime did not answer')),
    CREATE_TIMEOUT_MS,
  );
  try {
    let text = '';
    for await (const chunk of pipe as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      const end = text.indexOf('\n');
      if (end >= 0) return JSON.parse(text.slice(0, end)) as Report;
      if (text.length > MAX_REPORT) break;
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    pipe.destroy();
  }
}

async function readAll(pipe: Readable): Promise<string> {
  let text = '';
  for await (const chunk of pipe as AsyncIterable<Buffer>)
    text = (text + chunk.toString('utf8')).slice(-MAX_REPORT);
  return text;
}

/**
 * The runtime's words as an error about `program`, the first of the command's words. The message keeps what the
 * docker CLI looks for to tell 127 (`executable file not found`) from 126 (`permission denied`).
 */
export function startFailure(program: string, words: string): BerthError {
  const said = words
    .split('\n')
    .map((line) => line.replace(/^\[conmon:\w+\]: |^\d{4}-\S+ |^time="[^"]*" level=\w+ msg=/g, '').trim())
    .filter((line) => line !== '' && !line.startsWith('[conmon:d]'));
  const text = said.at(-1) ?? 'the runtime said nothing';
  if (/executable file .*not found|exec: .*no such file or directory/i.test(text)) {
    return new BerthError('invalid', `exec: "${program}": executable file not found in $PATH`, {
      hint: 'name a program that the image has',
    });
  }
  // crun's and runc's words for a directory, for a file without the right to execute it, and for one of another kind.
  if (/open executable|permission denied|is a directory|exec format error/i.test(text)) {
    const why = /exec format error/i.test(text) ? 'exec format error: ' : '';
    return new BerthError('invalid', `exec: "${program}": ${why}permission denied`, {
      hint: 'name a program that can be executed',
    });
  }
  return new BerthError('internal', `the container did not start: ${text}`);
}

/** Sets the size of the container's terminal, in characters, through conmon's control FIFO. */
export async function resizeTerminal(
  bundle: string,
  size: { readonly rows: number; readonly columns: number },
): Promise<void> {
  const WINDOW_SIZE = 1;
  // O_NONBLOCK: a conmon that has ended must not block the engine (ENXIO instead).
  await using fifo = await open(join(bundle, 'ctl'), constants.O_WRONLY | constants.O_NONBLOCK);
  await fifo.write(`${WINDOW_SIZE} ${size.rows} ${size.columns}\n`);
}

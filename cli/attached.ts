import { BerthError, toBerthError } from '../engine/api/errors.ts';
import type { StreamFrame } from '../engine/api/multiplex.ts';
import { type AttachedStreams, attachContainer } from '../engine/client/attach.ts';
import type { Client } from '../engine/client/client.ts';
import { exitCodeOfFailedStart } from '../engine/client/create.ts';
import type { Context, Flag } from './command.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys, watchForKeys } from './detach-keys.ts';
import type { Output } from './output.ts';
import { enterRawMode, followWindowSize } from './terminal.ts';

export const sigProxyFlag: Flag<boolean> = {
  type: 'boolean',
  summary: 'Pass signals on to the container; --sig-proxy=false keeps them here',
  default: true,
};

export type AttachOptions = {
  readonly id: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Both where it is not given. */
  readonly outputs?: { readonly stdout: boolean; readonly stderr: boolean } | undefined;
  /** What `wait` waits for; `removed` where the engine removes the container when it ends. */
  readonly until: 'not-running' | 'next-exit' | 'removed';
  readonly sigProxy?: boolean | undefined;
  readonly detachKeys?: string | undefined;
  /** Starts the container once its streams are held; without it, it runs already. */
  readonly start?: (() => Promise<unknown>) | undefined;
};

/** A start that failed, with the exit code that it becomes. */
export class StartFailure extends BerthError {
  readonly exitCode: number;

  constructor(cause: BerthError) {
    super(cause.code, cause.message, { hint: cause.hint, cause });
    this.exitCode = exitCodeOfFailedStart(cause.message);
  }
}

/** Refuses what can't be attached. To be asked before anything is created or started. Throws `usage`. */
export function checkAttachable(
  { stdin }: Context,
  options: Pick<AttachOptions, 'tty' | 'stdin' | 'detachKeys'>,
): void {
  if (options.tty && options.stdin && !stdin().isTTY)
    throw new BerthError('usage', 'the input device is not a TTY', {
      hint: 'leave -t away, or run it in a terminal',
    });
  parseDetachKeys(options.detachKeys ?? DEFAULT_DETACH_KEYS);
}

/**
 * Connects this process's streams to a container until it ends, or the detach keys are typed, and gives the exit
 * code: the container's, or 0 when detached. In docker's order: attach, wait, start. Nothing that the container
 * writes is lost then, and its end is not missed.
 */
export async function runAttached(context: Context, client: Client, options: AttachOptions): Promise<number> {
  const { id, tty, stdin, until, start } = options;
  checkAttachable(context, options);
  await using cleanup = new AsyncDisposableStack();
  const running = Promise.withResolvers<void>();
  // From here on, so that no signal gets lost while the container starts.
  if (options.sigProxy !== false)
    cleanup.use(proxySignals(context, client, { id, running: running.promise }));
  // Side by side: both only have to be there before the start. Podman starts the OCI runtime when it is asked to
  // attach: it too may find that the program isn't there.
  const [streams, ended] = await Promise.all([
    failAsStart(options, () =>
      attachContainer(client, { id, tty, stdin, outputs: options.outputs, detachKeys: options.detachKeys }),
    ),
    beginWait(client, id, until),
  ]);
  cleanup.defer(streams.close);
  const output = copyFrames(streams.output, context);
  output.catch(() => {});
  // Before the start: what is typed at the first prompt is the container's already.
  if (tty && stdin) cleanup.use(enterRawMode(context.stdin()));
  const detached = stdin ? pumpInput(context.stdin(), streams, options, cleanup) : undefined;
  if (start !== undefined) await failAsStart(options, start);
  running.resolve();
  if (tty) {
    const resize = (size: object) => client.act('containerResize', { id, ...size });
    cleanup.use(followWindowSize(context, resize, { redraw: start === undefined }));
  }
  const cancelled = aborted(context.signals.cancelled);
  const end = await Promise.race([
    output.then(() => 'ended' as const),
    ...(detached === undefined ? [] : [detached]),
    cancelled,
  ]);
  return end === 'detached' ? 0 : await Promise.race([ended(), cancelled]);
}

/**
 * Begins to wait, and gives what settles with the exit code. Where the container goes away with its end, that is
 * waited for too, so that its name is free again: in a second request, because podman 4.3 answers `removed` with 0
 * whatever the exit code was.
 */
async function beginWait(
  client: Client,
  id: string,
  until: AttachOptions['until'],
): Promise<() => Promise<number>> {
  const begin = (condition: AttachOptions['until']) => client.begin('containerWait', { id, condition });
  const [end, removal] = await Promise.all(
    until === 'removed' ? [begin('next-exit'), begin('removed')] : [begin(until)],
  );
  return async () => {
    const { StatusCode, Error: failure } = await end.answer;
    if (failure?.Message) throw new BerthError('internal', failure.Message);
    await removal?.answer;
    return StatusCode;
  };
}

/** What fails on the way to a running container is a failed start. One that was to go with its end goes now. */
async function failAsStart<T>({ start }: AttachOptions, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    throw start === undefined ? thrown : new StartFailure(toBerthError(thrown));
  }
}

/** Writes what a container wrote to our own standard output and standard error. */
export async function copyFrames(
  frames: AsyncIterable<StreamFrame>,
  { stdout, stderr }: { readonly stdout: Output; readonly stderr: Output },
): Promise<void> {
  for await (const { stream, data } of frames) await (stream === 'stderr' ? stderr : stdout).write(data);
}

/** Sends what is typed or piped to a program; its end closes the program's input alone. */
export function pumpInput(
  stdin: NodeJS.ReadStream,
  { input }: AttachedStreams,
  { tty, detachKeys = DEFAULT_DETACH_KEYS }: Pick<AttachOptions, 'tty' | 'detachKeys'>,
  cleanup: AsyncDisposableStack,
): Promise<'detached'> {
  const { promise, resolve } = Promise.withResolvers<'detached'>();
  const watch = tty ? watchForKeys(parseDetachKeys(detachKeys)) : undefined;
  const onData = (chunk: Buffer) => {
    const { pass, detached } = watch?.(chunk) ?? { pass: chunk, detached: false };
    if (pass.length > 0 && !input.write(pass)) {
      stdin.pause();
      input.once('drain', () => stdin.resume());
    }
    if (detached) resolve('detached');
  };
  const onEnd = () => void input.end();
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  // Standard input that is closed (`<&-`) or can't be read has nothing to give: the same as its end.
  stdin.on('error', onEnd);
  cleanup.defer(() => {
    stdin.removeListener('data', onData);
    stdin.pause();
  });
  return promise;
}

/** Sends the signals that reach us to the container instead, once it runs. */
function proxySignals(
  { signals }: Context,
  client: Client,
  { id, running }: { readonly id: string; readonly running: Promise<void> },
): Disposable {
  let isRunning = false;
  let early = 0;
  running.then(() => {
    isRunning = true;
  });
  return signals.redirect((signal) => {
    // Held back while the container starts; who asks twice does not want to wait for that.
    if (!isRunning && ++early > 1) process.exit(130);
    // One that comes too late finds a container that has ended: nothing is left to tell it.
    void running.then(() => client.act('containerKill', { id, signal })).catch(() => {});
  });
}

/** Rejects with the signal's reason once it aborts. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

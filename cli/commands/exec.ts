import { toBerthError } from '../../engine/api/errors.ts';
import type { ExecCreateBody } from '../../engine/api/wire/exec.ts';
import { startExec } from '../../engine/client/attach.ts';
import type { Client } from '../../engine/client/index.ts';
import { aborted, checkAttachable, copyFrames, pumpInput, StartFailure } from '../attached.ts';
import { type Context, defineCommand, type Flag, type Typed } from '../command.ts';
import { linesOfFiles } from '../create-files.ts';
import { createFlags, inherit } from '../create-flags.ts';
import { detachKeysFlag } from '../detach-keys.ts';
import { complain } from '../each.ts';
import { enterRawMode, followWindowSize } from '../terminal.ts';

const flags = {
  detach: { type: 'boolean', summary: 'Run it in the background', short: 'd' } as Flag<boolean>,
  detachKeys: detachKeysFlag,
  env: createFlags.env,
  envFile: createFlags.envFile,
  interactive: { ...createFlags.interactive, summary: 'Pass standard input on to it' },
  privileged: {
    type: 'boolean',
    summary: 'Give it all capabilities that the engine has',
  } as Flag<boolean>,
  tty: createFlags.tty,
  user: createFlags.user,
  workdir: createFlags.workdir,
};

/** What `exec` exits with when the engine, and not the program, failed. */
const ENGINE_FAILED = 125;

export const command = defineCommand({
  usage: '[FLAGS] CONTAINER COMMAND [ARG...]',
  description:
    "It ends with the program's exit code, or with 125 when the engine failed, 126 when the program can't be executed, 127 when it isn't there.",
  flags,
  takes: [2, Number.POSITIVE_INFINITY],
  argsEndFlags: true,
  examples: [
    { line: 'berth exec -it web sh', does: 'A shell in a running container' },
    { line: 'berth exec -i db psql -U app < dump.sql', does: 'A program at the end of a pipe' },
    { line: 'berth exec -u root -w /srv web ls -l', does: 'As another user, in another directory' },
  ],
  async run(context, typed) {
    try {
      return await execute(context, typed);
    } catch (thrown) {
      const error = toBerthError(thrown);
      if (error.code === 'cancelled') throw error;
      complain(context, error);
      return error instanceof StartFailure ? error.exitCode : ENGINE_FAILED;
    }
  },
});

async function execute(context: Context, { flags: given, args }: Typed<typeof flags>): Promise<number> {
  const { detach = false, interactive = false, tty = false, detachKeys } = given;
  const [container = '', ...command] = args;
  const stdin = interactive && !detach;
  if (!detach) checkAttachable(context, { tty, stdin, detachKeys });
  const env = [...linesOfFiles('env-file', given.envFile), ...(given.env ?? [])];
  const client = await context.connect();
  const consoleSize = tty && !detach ? sizeOf(context) : undefined;
  const body: ExecCreateBody = {
    AttachStdin: stdin,
    AttachStdout: !detach,
    AttachStderr: !detach,
    ...(detachKeys === undefined ? {} : { DetachKeys: detachKeys }),
    Tty: tty,
    Env: env.flatMap((item) => inherit(item, context.env)),
    Cmd: command,
    Privileged: given.privileged ?? false,
    User: given.user ?? '',
    WorkingDir: given.workdir ?? '',
    ...(consoleSize === undefined ? {} : { ConsoleSize: consoleSize }),
  };
  const { Id: id } = await client.call('execCreate', { id: container }, { body });
  if (detach) {
    const started = client.bytes('execStart', { id }, { body: { Detach: true, Tty: tty } });
    (await started.catch(failAsStart)).resume();
    return 0;
  }
  return await attach(context, client, { id, tty, stdin, detachKeys, consoleSize });
}

async function attach(
  context: Context,
  client: Client,
  options: {
    readonly id: string;
    readonly tty: boolean;
    readonly stdin: boolean;
    readonly detachKeys: string | undefined;
    readonly consoleSize: readonly [number, number] | undefined;
  },
): Promise<number> {
  const { id, tty, stdin } = options;
  await using cleanup = new AsyncDisposableStack();
  const streams = await startExec(client, options).catch(failAsStart);
  cleanup.defer(streams.close);
  const output = copyFrames(streams.output, context);
  output.catch(() => {});
  if (tty && stdin) cleanup.use(enterRawMode(context.stdin()));
  const detached = stdin ? pumpInput(context.stdin(), streams, options, cleanup) : undefined;
  if (tty) cleanup.use(followWindowSize(context, (size) => client.act('execResize', { id, ...size })));
  // No signal is passed on, as docker has it: the program goes on where this command is ended.
  const end = await Promise.race([
    output.then(() => 'ended' as const),
    ...(detached === undefined ? [] : [detached]),
    aborted(context.signals.cancelled),
  ]);
  if (end === 'detached') return 0;
  const { Running, ExitCode } = await client.call('execInspect', { id });
  // The keys reach the engine too, which may see them first.
  if (Running || ExitCode === null) return 0;
  return ExitCode;
}

function failAsStart(thrown: unknown): never {
  throw new StartFailure(toBerthError(thrown));
}

function sizeOf({ stdout }: Context): readonly [number, number] | undefined {
  const { rows, columns } = stdout.stream;
  return stdout.isTerminal && rows > 0 && columns > 0 ? [rows, columns] : undefined;
}

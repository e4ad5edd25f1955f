import { BerthError, errorTable, toBerthError } from '../engine/api/errors.ts';
import type { Command, Context } from './command.ts';
import { entries, type Found, families, findCommand } from './commands/index.ts';
import { complain } from './each.ts';
import { FormatError } from './format-error.ts';
import type { Globals } from './globals.ts';
import { nearest } from './nearest.ts';
import { endOnClosedPipe, flush, openOutput } from './output.ts';
import { refuseFlags } from './refused.ts';
import { listenForSignals } from './signals.ts';

/** Runs the command that the process was started with, and ends the process. `main` is the URL of the entry. */
export async function dispatch(main: string): Promise<void> {
  const { stdout, stderr, env } = process;
  endOnClosedPipe(stdout);
  endOnClosedPipe(stderr);
  const context = {
    stdin: () => process.stdin,
    stdout: openOutput(stdout, env),
    stderr: openOutput(stderr, env),
    env,
    signals: listenForSignals(),
    programs: new URL(main.endsWith('.ts') ? '../dist/' : './', main),
  };
  let code: number;
  let debug = false;
  try {
    const globals = await readBefore(process.argv.slice(2));
    ({ debug } = globals);
    code = await runCommand(context, globals);
  } catch (thrown) {
    const error = toBerthError(thrown);
    code = report(context, error);
    if (debug) context.stderr.line(`${(error.cause as Error | undefined)?.stack ?? error.stack}`);
  }
  await Promise.all([flush(stdout), flush(stderr)]);
  process.exit(code);
}

type Surroundings = Omit<Context, 'host' | 'connect'>;

/** What stands before the command's name. */
async function readBefore(words: readonly string[]): Promise<Globals> {
  if (words[0]?.startsWith('-')) return (await import('./globals.ts')).readGlobals(words);
  return { host: undefined, debug: false, wantsHelp: false, wantsVersion: false, rest: words };
}

async function runCommand(surroundings: Surroundings, globals: Globals): Promise<number> {
  const { stdout } = surroundings;
  const { host: hostBefore, wantsHelp, wantsVersion, rest } = globals;
  if (wantsVersion) {
    stdout.line(`berth version ${(await import('./own-version.ts')).ownVersion}`);
    return 0;
  }
  const asked = rest[0] === 'help' ? rest.slice(1) : rest;
  const found = findCommand(asked);
  if (found === undefined) return helpOrRefuse(surroundings, asked);
  const { command } = await found.entry.load();
  if (wantsHelp || rest[0] === 'help') return showHelp(surroundings, found, command);
  const inside = (host: string | undefined): Context => ({
    ...surroundings,
    host,
    connect: () => connect(surroundings, host),
  });
  if (command.passesOn) return command.run(inside(hostBefore), { flags: {}, args: found.rest });
  const { parseTyped, allFlags } = await import('./parse.ts');
  const typed = parseTyped(found.rest, allFlags(command.flags), {
    name: found.name,
    ...(command.argsEndFlags ? { argsEndFlags: true } : {}),
  });
  const { help, host = hostBefore } = typed.flags as { readonly help?: boolean; readonly host?: string };
  if (help) return showHelp(surroundings, found, command);
  // Where a container's own exit code may come, ours is 125.
  refuseFlags(command.flags, typed.flags, command.argsEndFlags ? 'usage' : 'unsupported');
  checkCount(found.name, command, typed.args);
  return command.run(inside(host), typed);
}

async function connect({ programs, signals }: Surroundings, host: string | undefined) {
  const { connectEngine } = await import('../engine/client/launch.ts');
  const { engineLine } = await import('./engine-place.ts');
  return connectEngine({ host, launch: engineLine(programs), signal: signals.cancelled });
}

async function helpOrRefuse({ stdout }: Surroundings, words: readonly string[]): Promise<number> {
  const { helpOfAll } = await import('./help.ts');
  const [first, second] = words;
  const family = first !== undefined && families.has(first) ? first : undefined;
  if (
    first === undefined ||
    (family !== undefined && (second === undefined || /^(-h|--help)$/.test(second)))
  ) {
    stdout.line(helpOfAll(stdout.columns(), family));
    return 0;
  }
  const name = family === undefined ? first : `${family} ${second}`;
  const near = nearest(name, [
    ...entries.flatMap((entry) => entry.names.filter((other) => other.includes(' ') === name.includes(' '))),
    ...(family === undefined ? families : []),
  ]);
  throw new BerthError('usage', `unknown command: berth ${name}`, {
    hint: near === undefined ? `berth ${family === undefined ? '' : `${family} `}--help` : `berth ${near}`,
  });
}

async function showHelp({ stdout }: Surroundings, found: Found, command: Command): Promise<number> {
  const { helpOfCommand } = await import('./help.ts');
  stdout.line(helpOfCommand(found.entry, command, found.name, stdout.columns()));
  return 0;
}

function checkCount(name: string, { takes: [least, most], usage }: Command, args: readonly string[]): void {
  if (args.length >= least && args.length <= most) return;
  const counted = (n: number) => (n === 0 ? 'no arguments' : n === 1 ? '1 argument' : `${n} arguments`);
  const wants =
    least === most
      ? counted(least)
      : args.length < least
        ? `at least ${counted(least)}`
        : `at most ${counted(most)}`;
  throw new BerthError('usage', `berth ${name} takes ${wants}, not ${args.length}`, {
    hint: `berth ${name} ${usage}`.trimEnd(),
  });
}

/** Says what went wrong, on standard error, and gives the exit code (DESIGN: errors are a table). */
function report(surroundings: Surroundings, error: BerthError): number {
  const { signals } = surroundings;
  if (error.code === 'cancelled' || signals.cancelled.aborted) return signals.exitCode();
  complain(surroundings, error);
  return error instanceof FormatError ? error.exitCode : errorTable[error.code].exit;
}

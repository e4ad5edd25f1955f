import { fileURLToPath } from 'node:url';
import { render } from 'ink';
import { type BerthError, toBerthError } from '../engine/api/errors.ts';
import { type Client, connectEngine, createClient, formatHost, resolveHost } from '../engine/client/index.ts';
import { createDashboard } from './dashboard.ts';
import { parseFlags, usage } from './flags.ts';
import { plainList } from './plain.ts';
import { Screen } from './screen/screen.tsx';
import { readTheme } from './screen/theme.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * `berth ui`: shows the dashboard until the user is done. Gives the exit code: 0, 1 when the plain list could
 * not be got or the dashboard broke, 125 for arguments that make no sense, 128 and its number for a signal.
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const flags = parseFlags(argv);
    if (flags.help) {
      process.stdout.write(usage);
      return 0;
    }
    const { host } = resolveHost(flags.host);
    const connect = (signal?: AbortSignal) =>
      connectEngine({ host: flags.host, launch: engineCommand(), signal });
    const hasTerminal = process.stdin.isTTY && process.stdout.isTTY && process.env.TERM !== 'dumb';
    if (!hasTerminal) return await printList(await connect());
    return await runDashboard({ host: formatHost(host), connect, fallback: () => createClient(host) });
  } catch (thrown) {
    const error = toBerthError(thrown);
    sayError(error);
    return error.code === 'usage' ? 125 : 1;
  }
}

/** `engine.js` stands beside this program where it is built. */
function engineCommand(): readonly string[] {
  return [process.execPath, fileURLToPath(new URL('engine.js', import.meta.url))];
}

function sayError(error: BerthError): void {
  const hint = error.hint === undefined ? '' : `\n${error.hint}`;
  process.stderr.write(`berth: ${error.message}${hint}\n`);
}

async function printList(client: Client): Promise<number> {
  process.stderr.write('berth: the dashboard needs a terminal; this is the plain list\n');
  try {
    process.stdout.write(await plainList(client));
    return 0;
  } finally {
    client.close();
  }
}

async function runDashboard(options: {
  readonly host: string;
  readonly connect: (signal: AbortSignal) => Promise<Client>;
  /** A client of an engine that did not answer: it may be started yet. */
  readonly fallback: () => Client;
}): Promise<number> {
  const { stdin, stdout } = process;
  const theme = readTheme(process.env);
  const size = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  const dashboard = createDashboard({
    host: options.host,
    size: size(),
    colour: theme.colours,
    busy: () =>
      stdout.writableNeedDrain ? new Promise((resolve) => stdout.once('drain', resolve)) : undefined,
  });
  let client: Client | undefined;
  const stop = new AbortController();
  const connecting = options.connect(stop.signal).catch((thrown: unknown) => {
    dashboard.fail(toBerthError(thrown));
    return options.fallback();
  });
  void connecting.then((connected) => {
    if (stop.signal.aborted) return connected.close();
    client = connected;
    dashboard.connect(connected);
  });

  let code = 0;
  let broken: unknown;
  const undo: (() => void)[] = [];
  const on = (emitter: NodeJS.EventEmitter, event: string, listener: (value: unknown) => void) => {
    emitter.on(event, listener);
    undo.push(() => emitter.off(event, listener));
  };
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    on(process, signal, () => {
      code = exitCode;
      dashboard.quit();
    });
  }
  const breakDown = (error: unknown) => {
    broken ??= error;
    dashboard.quit();
  };
  on(process, 'uncaughtException', breakDown);
  on(process, 'unhandledRejection', breakDown);
  // The terminal is gone: there is nothing left to restore, and nobody to tell.
  on(stdout, 'error', dashboard.quit);
  on(stdin, 'error', dashboard.quit);
  on(stdout, 'resize', () => dashboard.resize(size()));

  const screen = render(<Screen dashboard={dashboard} theme={theme} />, {
    alternateScreen: true,
    incrementalRendering: true,
    maxFps: 60,
    exitOnCtrlC: false,
    patchConsole: false,
    // A terminal there is, as was seen above; Ink would not draw on one where CI is set.
    interactive: true,
  });
  try {
    const ended = screen.waitUntilExit().catch(breakDown);
    await Promise.race([dashboard.done, ended]);
    screen.unmount();
    await ended;
  } finally {
    stop.abort();
    dashboard.close();
    client?.close();
    for (const off of undo) off();
  }
  if (broken !== undefined) {
    process.stderr.write(`berth: the dashboard broke down: ${describe(broken)}\n`);
    return 1;
  }
  return code;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

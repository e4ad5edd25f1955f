import { Console } from 'node:console';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { BerthError } from '../engine/api/errors.ts';
import { connectEngine, launchLine } from '../engine/client/index.ts';
import manifest from '../package.json' with { type: 'json' };
import { lastingEngine } from './engine.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { errorText } from './result.ts';
import { createServer } from './server.ts';
import { tools } from './tools/index.ts';

/** How long the server stays after its client has gone, for calls to remove what they started. */
const GRACE_MS = 10_000;

/**
 * `berth mcp`: serves the engine over stdin and stdout until the client goes away. `argv` is what follows `mcp`.
 * Gives the exit code.
 */
export async function main(argv: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(argv);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    process.stderr.write(
      `berth mcp: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}\n`,
    );
    return 125;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  await serve(options);
  return 0;
}

async function serve({ host, policy }: Options): Promise<void> {
  // stdout is the protocol's: whatever a library prints goes where logs go.
  globalThis.console = new Console(process.stderr, process.stderr);
  const log = (line: string) => process.stderr.write(`berth mcp: ${line}\n`);
  const underWay = new Set<Promise<unknown>>();
  const engine = lastingEngine(() => connectEngine({ host, launch: launchLine(import.meta.url) }));
  const transport = new StdioServerTransport();
  const ended = endOf(transport);

  const connection = serveStdio(
    () =>
      createServer({
        engine,
        policy,
        tools,
        version: manifest.version,
        log,
        track(call) {
          underWay.add(call);
          call.catch(() => {}).finally(() => underWay.delete(call));
        },
      }),
    { transport, onerror: (error) => log(error.message) },
  );
  const stop = () => void connection.close();
  // A call that fails in a way nobody foresaw must not take the others with it.
  const survive = (error: unknown) => log(`unexpected: ${errorText(error)}`);
  process.on('SIGTERM', stop).on('SIGINT', stop);
  process.on('uncaughtException', survive).on('unhandledRejection', survive);
  try {
    await ended;
    // Calls under way are cancelled by now, and remove what they started.
    await Promise.race([Promise.allSettled(underWay), grace()]);
  } finally {
    engine.close();
    process.off('SIGTERM', stop).off('SIGINT', stop);
    process.off('uncaughtException', survive).off('unhandledRejection', survive);
  }
}

/** Settles when the connection is closed, by either side or because what came over it made no sense. */
function endOf(transport: StdioServerTransport): Promise<void> {
  return new Promise((resolve) => {
    const close = transport.close.bind(transport);
    transport.close = async () => {
      await close();
      resolve();
    };
  });
}

function grace(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref());
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));

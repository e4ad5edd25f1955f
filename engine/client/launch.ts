import { fileURLToPath } from 'node:url';
import { BerthError } from '../api/errors.ts';
import { type Client, createClient } from './client.ts';
import { resolveHost } from './host.ts';

const START_TIMEOUT_MS = 15_000;
const POLL_MS = 20;
const LOST_RACE_MS = 2_000;

/**
 * A client of the engine that the user means (see `resolveHost`). Where nobody chose a host and no engine runs,
 * one is started in the background first, by `launch`: the command line of `berth engine run`.
 * Throws `unavailable` when it does not answer.
 */
export async function connectEngine(options: {
  readonly host?: string | undefined;
  readonly launch: readonly string[];
  readonly signal?: AbortSignal | undefined;
}): Promise<Client> {
  const { host, chosen } = resolveHost(options.host);
  const client = createClient(host);
  if (chosen) return client;
  if (await answers(client)) return client;
  await startEngine(client, options);
  return client;
}

/**
 * The command line that starts an engine, for `launch`: on the Node that runs this front end. `program` is the
 * URL of the front end's own module; the built engine lies beside a bundle, and in dist/ for what runs from source.
 */
export function launchLine(program: string): readonly string[] {
  const engine = program.endsWith('.js') ? './engine.cjs' : '../dist/engine.cjs';
  return [process.execPath, fileURLToPath(new URL(engine, program))];
}

/** Whether an engine answers a ping. Errors other than «nobody is there» are thrown. */
async function answers(client: Client): Promise<boolean> {
  try {
    (await client.bytes('ping', {})).resume();
    return true;
  } catch (error) {
    if (error instanceof BerthError && error.code === 'unavailable') return false;
    throw error;
  }
}

/** Starts an engine that outlives this process and waits until it answers. Throws `unavailable`, with its last words. */
export async function startEngine(
  client: Client,
  options: { readonly launch: readonly string[]; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const [program = process.execPath, ...args] = options.launch;
  // Here and not above: a program that only talks to an engine loads nothing to start one.
  const [{ spawn }, { setTimeout: delay }] = await Promise.all([
    import('node:child_process'),
    import('node:timers/promises'),
  ]);
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  let ended: string | undefined;
  let endedAt: number | undefined;
  child.stderr.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-4096);
  });
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `it ended with ${signal ?? code}`;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  try {
    while (!(await answers(client))) {
      options.signal?.throwIfAborted();
      // One that ended may have lost the race against another front end's: that one answers soon.
      if (ended !== undefined) endedAt ??= Date.now();
      if (Date.now() > Math.min(deadline, (endedAt ?? deadline) + LOST_RACE_MS)) {
        const why =
          words.trim().split('\n').at(-1) || ended || `no answer within ${START_TIMEOUT_MS / 1000} s`;
        throw new BerthError('unavailable', `the engine did not start: ${why}`, {
          hint: 'berth engine logs',
        });
      }
      await delay(POLL_MS);
    }
  } finally {
    child.stderr.destroy();
    child.unref();
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { serverEnvironment } from './session.ts';

type Message = { readonly id?: unknown; readonly result?: Record<string, unknown>; readonly error?: unknown };

/** A server's process with its pipes, for what no well-behaved client does. */
export type RawServer = AsyncDisposable & {
  readonly child: ChildProcess;
  /** Every line of stdout so far. */
  readonly lines: readonly string[];
  /** Writes a text as it stands, with a newline. */
  send(text: string): void;
  /** Sends a request and gives what is answered to it. */
  ask(method: string, params?: Record<string, unknown>): Promise<Message>;
  /** The exit code once it has ended. */
  readonly ended: Promise<number | null>;
};

const SERVER = new URL('../main.ts', import.meta.url).pathname;

/** Starts a server and makes the handshake of 2025. */
export async function startRaw(args: readonly string[]): Promise<RawServer> {
  const child = spawn(process.execPath, [SERVER, ...args], {
    env: serverEnvironment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines: string[] = [];
  const waiting = new Map<unknown, (message: Message) => void>();
  let rest = '';
  // Not readline: that one breaks lines at U+2028 too, which JSON does not escape.
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      const message = parsed(line);
      waiting.get(message?.id)?.(message ?? {});
      waiting.delete(message?.id);
    }
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  let id = 0;
  const send = (text: string) => void child.stdin.write(`${text}\n`);
  const ask = async (method: string, params: Record<string, unknown> = {}) => {
    id += 1;
    const { promise, resolve } = Promise.withResolvers<Message>();
    waiting.set(id, resolve);
    send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    const gone = ended.then((code) => Promise.reject(new Error(`the server ended with ${code}`)));
    gone.catch(() => {});
    return await Promise.race([promise, gone]);
  };
  await ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  });
  send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }));
  return {
    child,
    lines,
    send,
    ask,
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function parsed(line: string): Message | undefined {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return undefined;
  }
}

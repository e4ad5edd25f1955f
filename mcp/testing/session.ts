import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

/** Which client speaks: the current one with the current protocol or the one before, or the one of 2025. */
export const clients = ['2.x, 2026-07-28', '2.x, 2025-11-25', '1.x, 2025-11-25'] as const;
export type ClientKind = (typeof clients)[number];

export type ProgressSeen = { readonly progress: number; readonly total?: number; readonly message?: string };
export type ToolSeen = {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: Record<string, unknown>;
  readonly outputSchema?: Record<string, unknown>;
  readonly annotations?: Record<string, unknown>;
};
export type Answer = {
  readonly text: string;
  readonly data: Record<string, unknown>;
  readonly isError: boolean;
};
type CallOptions = { readonly signal?: AbortSignal; readonly onprogress?: (seen: ProgressSeen) => void };

export type Session = AsyncDisposable & {
  readonly pid: number;
  /** What the server wrote to its log so far. */
  readonly log: () => string;
  list(): Promise<readonly ToolSeen[]>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<Answer>;
};

const SERVER = new URL('../main.ts', import.meta.url).pathname;
const CACHE = new URL('../../node_modules/.cache/mcp-tests', import.meta.url).pathname;

/** The environment of a server under test. Compiled code is kept: these tests start some eighty servers. */
export function serverEnvironment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(inherited) as Record<string, string>), NODE_COMPILE_CACHE: CACHE };
}
const CALL_TIMEOUT_MS = 60_000;

/** A real client of a real server, over a child process's stdin and stdout. */
export async function openSession(options: {
  /** The engine's; the server chooses where it is not given. */
  readonly host?: string;
  readonly client?: ClientKind;
  readonly flags?: readonly string[];
  /** The server's module, where it is not the source. */
  readonly server?: string;
  /** A program that starts the server's command line, and its arguments. */
  readonly within?: readonly string[];
}): Promise<Session> {
  const { host, client: kind = '2.x, 2026-07-28', flags = [], server = SERVER, within = [] } = options;
  const chosen = host === undefined ? [] : ['--host', host];
  const [command = process.execPath, ...args] = [...within, process.execPath, server, ...chosen, ...flags];
  const child = {
    command,
    args,
    env: serverEnvironment(),
    stderr: 'pipe' as const,
  };
  const name = { name: 'berth-test', version: '1' };
  const old = kind.startsWith('1');
  const transport = old ? new OldTransport(child) : new ModernTransport(child);
  const mode = kind.endsWith('2026-07-28') ? { pin: '2026-07-28' } : 'legacy';
  const client = old
    ? new OldClient(name)
    : new ModernClient(name, { versionNegotiation: { mode: mode as { pin: string } } });
  let log = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString('utf8');
  });
  await (client as ModernClient).connect(transport as ModernTransport);
  const pid = transport.pid ?? 0;

  const callTool = (params: { name: string; arguments: Record<string, unknown> }, how: CallOptions) => {
    const settings = { timeout: CALL_TIMEOUT_MS, ...how };
    return client instanceof OldClient
      ? client.callTool(params, undefined, settings)
      : client.callTool(params, settings);
  };
  return {
    pid,
    log: () => log,
    list: async () => (await client.listTools()).tools as readonly ToolSeen[],
    async call(tool, args = {}, how = {}) {
      const result = await callTool({ name: tool, arguments: args }, how);
      const content = result.content as readonly { readonly type: string; readonly text?: string }[];
      return {
        text: content.map((item) => item.text ?? '').join('\n'),
        data: (result.structuredContent ?? {}) as Record<string, unknown>,
        isError: result.isError === true,
      };
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

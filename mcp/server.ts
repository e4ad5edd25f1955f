import { McpServer, type StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { BerthError } from '../engine/api/errors.ts';
import { checkArguments, inputSchema } from './arguments.ts';
import type { Policy } from './policy.ts';
import { silent, startProgress } from './progress.ts';
import { errorResult, errorText, resultOf } from './result.ts';
import type { JsonSchema } from './schema.ts';
import type { Engine, Hints, Tool } from './tool.ts';

const LIST_TTL_MS = 60 * 60 * 1000;

const INSTRUCTIONS =
  'Containers run without capabilities and without access to the host: 512 MB, 1 CPU, 256 processes unless said ' +
  'otherwise. Remove what you no longer need.';

export type Serving = {
  readonly engine: Engine;
  readonly policy: Policy;
  readonly tools: readonly Tool[];
  readonly version: string;
  readonly log: (line: string) => void;
  /** Told of every call, so that the server does not end before what they clean up is cleaned up. */
  readonly track: (call: Promise<unknown>) => void;
};

/** The tools that a policy lets be served. */
export function servedTools(tools: readonly Tool[], policy: Policy): readonly Tool[] {
  return tools.filter(
    ({ hints, toolset }) =>
      (!policy.readOnly || hints.readOnly) && (toolset === undefined || policy.toolsets.includes(toolset)),
  );
}

/** An MCP server over the tools; one for each connection, of either protocol era. */
export function createServer(serving: Serving): McpServer {
  const server = new McpServer(
    { name: 'berth', version: serving.version },
    {
      instructions: INSTRUCTIONS,
      capabilities: { tools: { listChanged: false } },
      cacheHints: { 'tools/list': { ttlMs: LIST_TTL_MS, cacheScope: 'private' } },
    },
  );
  for (const tool of servedTools(serving.tools, serving.policy)) register(server, tool, serving);
  return server;
}

function register(server: McpServer, tool: Tool, serving: Serving): void {
  const config = {
    description: tool.description,
    inputSchema: standardSchema(inputSchema(tool.fields, tool.required), (value) =>
      checkArguments(tool.fields, tool.required, value),
    ),
    // What comes out is held to its shape by the compiler.
    outputSchema: standardSchema(tool.output.schema, (value) => value),
    annotations: annotationsOf(tool.hints),
  };
  server.registerTool(tool.name, config, async (args, { mcpReq }) => {
    const token = mcpReq._meta?.progressToken;
    using progress =
      token === undefined
        ? silent
        : startProgress((params) => {
            const notified = mcpReq.notify({
              method: 'notifications/progress',
              params: { progressToken: token, ...params },
            });
            notified.catch((error: unknown) => serving.log(`progress was not sent: ${error}`));
          });
    const { engine, policy, log } = serving;
    const running = tool.run(args, { engine, policy, log, signal: mcpReq.signal, progress });
    serving.track(running);
    try {
      return resultOf(await running);
    } catch (error) {
      if (!(error instanceof BerthError) && !mcpReq.signal.aborted)
        log(`${tool.name} failed: ${stackOf(error)}`);
      return errorResult(error);
    }
  });
}

function annotationsOf(hints: Hints) {
  return {
    readOnlyHint: hints.readOnly,
    destructiveHint: hints.destructive,
    idempotentHint: hints.idempotent,
    openWorldHint: hints.openWorld,
  };
}

/** A JSON Schema with a check of our own, in the form that the SDK takes schemas (standardschema.dev). */
function standardSchema<T>(
  schema: JsonSchema,
  check: (value: unknown) => T,
): StandardSchemaWithJSON<unknown, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'berth',
      validate(value) {
        try {
          return { value: check(value) };
        } catch (error) {
          return { issues: [{ message: errorText(error) }] };
        }
      },
      jsonSchema: { input: () => ({ ...schema }), output: () => ({ ...schema }) },
    },
  };
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

import type { Fields } from '../engine/api/fields.ts';
import type { Client, Input } from '../engine/client/index.ts';
import type { ArgumentsOf } from './arguments.ts';
import type { Policy, Toolset } from './policy.ts';
import type { Progress } from './progress.ts';
import type { Shape } from './schema.ts';

/** What a client is told of a tool beforehand (MCP, ToolAnnotations). */
export type Hints = {
  /** It changes nothing. */
  readonly readOnly: boolean;
  /** It may destroy something. */
  readonly destructive: boolean;
  /** Calling it twice changes no more than calling it once. */
  readonly idempotent: boolean;
  /** It reaches beyond this machine. */
  readonly openWorld: boolean;
};

/** The hints of everything that only looks. */
export const reads: Hints = { readOnly: true, destructive: false, idempotent: true, openWorld: false };

/** The engine, as tools use it. */
export type Engine = Pick<Client, 'call' | 'act' | 'lines'> & {
  /** A log's bytes. Throws `unavailable` where the connection breaks on the way. */
  logs(
    input: Input<'containerLogs'>,
    options: { readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Buffer>>;
};

/** What a tool works with during one call. */
export type Call = {
  readonly engine: Engine;
  readonly policy: Policy;
  /** Aborted when the client cancels the call or goes away. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Writes a line to the server's log. */
  readonly log: (line: string) => void;
};

/** What a tool answers: the same content as text and as data. */
export type Outcome<Data> = {
  readonly text: string;
  readonly data: Data;
  /** Whether what was asked for was not reached (a timeout), though there is data to show. */
  readonly failed?: boolean;
};

export type Tool = {
  readonly name: string;
  /** One or two short sentences: every client pays for them in every conversation. */
  readonly description: string;
  readonly hints: Hints;
  /** The set that an operator has to ask for; undefined for those that are always served. */
  readonly toolset?: Toolset | undefined;
  readonly fields: Fields;
  readonly required: readonly string[];
  readonly output: Shape<unknown>;
  readonly run: (args: unknown, call: Call) => Promise<Outcome<unknown>>;
};

/** A tool, with arguments and result typed by its fields and its output's shape. */
export function tool<
  const F extends Fields,
  Data,
  const Required extends keyof F & string = never,
>(definition: {
  readonly name: string;
  readonly description: string;
  readonly hints: Hints;
  readonly toolset?: Toolset;
  readonly fields: F;
  readonly required?: readonly Required[];
  readonly output: Shape<Data>;
  readonly run: (args: ArgumentsOf<F, Required>, call: Call) => Promise<Outcome<Data>>;
}): Tool {
  return {
    ...definition,
    required: definition.required ?? [],
    run: (args, call) => definition.run(args as ArgumentsOf<F, Required>, call),
  };
}

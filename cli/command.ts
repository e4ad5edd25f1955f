import type { Field, Fields, ValuesOf } from '../engine/api/fields.ts';
import type { Client } from '../engine/client/client.ts';
import type { Output } from './output.ts';
import type { Signals } from './signals.ts';

/** A flag: a field of the API, or one that only the command line has. Its key is its name in camel case. */
export type Flag<T = unknown> = Field<T> & {
  /** Other spellings that docker has or had. */
  readonly aliases?: readonly string[];
  /** Why no value but `accepts` is taken, and what to do instead (refused.ts). */
  readonly refused?: {
    readonly why: string;
    readonly hint?: string | undefined;
    readonly accepts?: unknown;
  };
};
export type Flags = Readonly<Record<string, Flag>>;

export type Example = { readonly line: string; readonly does: string };

/** What a command runs in. */
export type Context = {
  /** Standard input. A function, because to look at it is to open it, which most commands need not. */
  readonly stdin: () => NodeJS.ReadStream;
  /** For data alone. */
  readonly stdout: Output;
  /** For everything else. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signals: Signals;
  /** What `--host` said. */
  readonly host: string | undefined;
  /** The folder that holds the built programs: engine.cjs, ui.js, mcp.js. */
  readonly programs: URL;
  /** The engine that is meant, started first where nobody chose one. */
  connect(): Promise<Client>;
};

/** What was typed after the command's name, checked. */
export type Typed<F extends Fields> = {
  readonly flags: ValuesOf<F>;
  readonly args: readonly string[];
};

export type Command<F extends Flags = Flags> = {
  /** What stands after the name, `[FLAGS] CONTAINER [CONTAINER...]`. */
  readonly usage: string;
  /** A paragraph for help, where the summary does not say enough. */
  readonly description?: string;
  readonly flags: F;
  /** How many arguments it takes at least and at most. */
  readonly takes: readonly [least: number, most: number];
  /** Whether flags end at the first argument, because what follows is a container's own command line. */
  readonly argsEndFlags?: boolean;
  /** Whether nothing of what was typed is looked at here: another program reads it, `--help` included. */
  readonly passesOn?: boolean;
  readonly examples: readonly Example[];
  /** Gives the exit code. */
  run(context: Context, typed: Typed<F>): Promise<number>;
};

/** Makes a command, with the types of its flags. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command {
  return command as unknown as Command;
}

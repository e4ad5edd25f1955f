import type { Field, Fields } from '../fields.ts';

/** How an answer comes: one JSON value, none, JSON lines as they happen, or a byte stream (attach, logs). */
export type Answer = 'json' | 'none' | 'lines' | 'bytes';
export type Method = 'GET' | 'POST' | 'DELETE';

/**
 * A thing the engine can be asked. The server's routes and validation, the typed client and the reference
 * pages are read from this table; CLI and MCP take names, summaries and limits of parameters from it.
 * Parameters of `path` stand in braces; a `{name*}` may hold slashes.
 */
export type Operation = {
  readonly id: string;
  readonly summary: string;
  readonly method: Method;
  readonly path: string;
  readonly query: Fields;
  readonly answer: Answer;
  /** Whether a JSON body is read. */
  readonly body: boolean;
};

type Definition = {
  readonly summary: string;
  readonly route: `${Method} /${string}`;
  readonly query?: Fields;
  readonly answer?: Answer;
  readonly body?: boolean;
};

type Entry<D extends Definition, R, B> = Omit<Operation, 'id' | 'path' | 'query' | 'answer'> & {
  readonly answer: D extends { readonly answer: infer A extends Answer } ? A : 'json';
  readonly path: D['route'] extends `${Method} ${infer Path}` ? Path : never;
  readonly query: D extends { readonly query: infer Q extends Fields } ? Q : Record<never, Field>;
  /** Types only; never there at run time. */
  readonly types?: { readonly result: R; readonly body: B };
};

/** `R` is the type of the answer (of one line where it comes in lines), `B` that of the body. */
export function operation<R = undefined, B = undefined>() {
  return <const D extends Definition>(definition: D): Entry<D, R, B> => {
    const space = definition.route.indexOf(' ');
    return {
      summary: definition.summary,
      method: definition.route.slice(0, space),
      path: definition.route.slice(space + 1),
      query: definition.query ?? {},
      answer: definition.answer ?? 'json',
      body: definition.body ?? false,
    } as Entry<D, R, B>;
  };
}

import type { Field, Fields } from '../fields.ts';

/** How an answer comes: one JSON value, none, JSON lines as they happen, a byte stream (attach, logs), or headers alone. */
export type Answer = 'json' | 'none' | 'lines' | 'bytes' | 'headers';
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
/** How a body comes: none, a JSON object, one that may be missing, or bytes of any length that are read as they come. */
export type Body = 'none' | 'json' | 'maybeJson' | 'bytes';
/** The bytes of a body, or of what takes its place on the way. */
export type ByteStream = AsyncIterable<Uint8Array>;

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
  readonly body: Body;
  /** The key that the query must have for this row to be meant, where two share a route. */
  readonly when: string | undefined;
};

type Definition = {
  readonly summary: string;
  readonly route: `${Method} /${string}`;
  readonly query?: Fields;
  readonly answer?: Answer;
  readonly body?: Exclude<Body, 'none'>;
  readonly when?: string;
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
      body: definition.body ?? 'none',
      when: definition.when,
    } as Entry<D, R, B>;
  };
}

import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import { BerthError, errorFromBody } from '../api/errors.ts';
import type { Fields } from '../api/fields.ts';
import {
  type BodyOf,
  type ByteStream,
  type Operation,
  type OperationId,
  operations,
  type PathOf,
  type QueryOf,
  type ResultOf,
} from '../api/operations.ts';
import type { Host } from './host.ts';
import { chunksOf, connectTransport } from './transport.ts';

type OneOf<Answer extends string> = {
  [Id in OperationId]: (typeof operations)[Id]['answer'] extends Answer ? Id : never;
}[OperationId];

/** What a call takes: the path's parameters and the query's side by side, by their names in the operations table. */
export type Input<Id extends OperationId> = PathOf<Id> & QueryOf<Id>;

export type CallOptions<Id extends OperationId = OperationId> = {
  readonly signal?: AbortSignal | undefined;
  readonly body?: BodyOf<Id>;
  readonly headers?: Readonly<Record<string, string>>;
};

/** An engine, as a front end sees it: berth's, dockerd or podman. */
export type Client = {
  readonly host: Host;
  /** Asks for one operation and gives its answer. Throws what the engine answered, or `unavailable`. */
  call<Id extends OperationId>(id: Id, input: Input<Id>, options?: CallOptions<Id>): Promise<ResultOf<Id>>;
  /**
   * Like `call`, in two parts: settles once the engine has taken the request (its headers came), with the promise
   * of the answer. For `containerWait`, which has to be heard before the container is started.
   */
  begin<Id extends OneOf<'json'>>(
    id: Id,
    input: Input<Id>,
    options?: CallOptions<Id>,
  ): Promise<{ readonly answer: Promise<ResultOf<Id>> }>;
  /** Like `call`, for operations that change a state; false where it was so already (304). */
  act<Id extends OneOf<'none'>>(id: Id, input: Input<Id>, options?: CallOptions<Id>): Promise<boolean>;
  /** JSON values as they come. A line that carries `error` is thrown. */
  lines<Id extends OneOf<'lines'>>(
    id: Id,
    input: Input<Id>,
    options?: CallOptions<Id>,
  ): AsyncGenerator<ResultOf<Id>>;
  /** The same lines as the engine wrote them: for numbers that JavaScript would round, such as nanoseconds. */
  rawLines<Id extends OneOf<'lines'>>(
    id: Id,
    input: Input<Id>,
    options?: CallOptions<Id>,
  ): AsyncGenerator<string>;
  /** The answer's bytes, as they come. */
  bytes<Id extends OneOf<'bytes'>>(
    id: Id,
    input: Input<Id>,
    options?: CallOptions<Id>,
  ): Promise<Readable & { readonly headers: IncomingHttpHeaders }>;
  /** The headers of an answer that has nothing else; by their names in lower case. */
  headers<Id extends OneOf<'headers'>>(
    id: Id,
    input: Input<Id>,
    options?: CallOptions<Id>,
  ): Promise<IncomingHttpHeaders>;
  /** A two-way stream: what is written reaches the container; ending it closes the container's input. */
  upgrade<Id extends OneOf<'bytes'>>(id: Id, input: Input<Id>, options?: CallOptions<Id>): Promise<Duplex>;
  /** Lets go of the kept connections. */
  close(): void;
};

/** A client of the engine at `host`. Nothing is sent until something is asked. */
export function createClient(host: Host): Client {
  const transport = connectTransport(host);

  function wireOf<Id extends OperationId>(id: Id, input: Input<Id>, options: CallOptions<Id>) {
    const operation: Operation = operations[id];
    return {
      method: operation.method,
      target: targetOf(operation.path, operation.query, input as Readonly<Record<string, unknown>>),
      ...bodyOf(operation, options.body),
      ...(options.headers === undefined ? {} : { headers: options.headers }),
      signal: options.signal,
    };
  }

  async function begin<Id extends OperationId>(id: Id, input: Input<Id>, options: CallOptions<Id> = {}) {
    const message = await transport.send(wireOf(id, input, options));
    const answer = readText(chunksOf(message, host)).then((text) =>
      text === '' ? undefined : parseJson(text, operations[id].path),
    ) as Promise<ResultOf<Id>>;
    // Whoever awaits it later still gets the error; until then it is not an unhandled one.
    answer.catch(() => {});
    return { answer };
  }

  async function* rawLines<Id extends OperationId>(id: Id, input: Input<Id>, options: CallOptions<Id> = {}) {
    yield* splitLines(chunksOf(await transport.send(wireOf(id, input, options)), host));
  }

  return {
    host,
    begin,
    call: async (id, input, options) => (await begin(id, input, options)).answer,
    async act(id, input, options = {}) {
      const answer = await transport.send(wireOf(id, input, options));
      answer.resume();
      return answer.statusCode !== 304;
    },
    rawLines,
    async *lines(id, input, options) {
      for await (const line of rawLines(id, input, options)) {
        const value = parseJson(line, operations[id].path) as {
          error?: string;
          code?: string;
          hint?: string;
        };
        if (typeof value.error === 'string') {
          throw errorFromBody(500, { ...value, message: value.error } as Parameters<typeof errorFromBody>[1]);
        }
        yield value as ResultOf<typeof id>;
      }
    },
    bytes: (id, input, options = {}) => transport.send(wireOf(id, input, options)),
    async headers(id, input, options = {}) {
      const answer = await transport.send(wireOf(id, input, options));
      answer.resume();
      return answer.headers;
    },
    upgrade: (id, input, options = {}) => transport.upgrade(wireOf(id, input, options)),
    close: transport.close,
  };
}

function bodyOf(
  operation: Operation,
  body: unknown,
): { readonly body?: unknown; readonly stream?: ByteStream } {
  switch (operation.body) {
    case 'none':
      return {};
    case 'json':
      return { body: body ?? {} };
    case 'maybeJson':
      return body === undefined ? {} : { body };
    case 'bytes':
      return body === undefined ? {} : { stream: body as ByteStream };
  }
}

/** Path and query of a request. Values that are undefined, false or an empty map are left out. */
export function targetOf(path: string, query: Fields, input: Readonly<Record<string, unknown>>): string {
  const filled = path.replace(/\{(\w+)(\*?)\}/g, (_match, name: string, many: string) => {
    const value = String(input[name] ?? '');
    if (value === '') throw new BerthError('invalid', `no ${name} given`);
    return many === '' ? encodeURIComponent(value) : value.split('/').map(encodeURIComponent).join('/');
  });
  const search = new URLSearchParams();
  for (const [name, field] of Object.entries(query)) {
    const value = input[name];
    if (value === undefined || value === false || value === '') continue;
    const key = field.wire ?? name;
    if (field.type === 'filters') {
      if (Object.keys(value as object).length > 0) search.set(key, JSON.stringify(value));
    } else if (field.type === 'list') {
      for (const item of value as readonly string[]) search.append(key, item);
    } else search.set(key, value === true ? '1' : String(value));
  }
  const text = search.toString();
  return text === '' ? filled : `${filled}?${text}`;
}

async function readText(answer: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
  if (rest.trim() !== '') yield rest;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BerthError('internal', `what answered ${path} is not an engine: ${text.slice(0, 100)}`, {
      cause: error,
    });
  }
}

import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { BerthError, type ErrorBody, errorFromBody, isErrno } from '../api/errors.ts';
import type { ByteStream } from '../api/operations.ts';
import { formatHost, type Host } from './host.ts';

// Not `import`: for one of a built-in module, Node evaluates every export, and of node:http two are undici's.
// That is 30 ms of a program that runs for 60 (docs/decisions/0021).
const { Agent, request } = process.getBuiltinModule('node:http');

export type WireRequest = {
  readonly method: string;
  /** Path and query, as it stands in the request line. */
  readonly target: string;
  /** A value that goes as JSON. */
  readonly body?: unknown;
  /** Bytes that go as they come, in its place. */
  readonly stream?: ByteStream;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
};

export type Transport = {
  /** Sends a request; gives the answer once its headers are there. Throws what the engine answered, or `unavailable`. */
  send(wire: WireRequest): Promise<IncomingMessage>;
  /** Sends a request that asks for an upgrade; gives the raw two-way stream. */
  upgrade(wire: WireRequest): Promise<Duplex>;
  close(): void;
};

/** An error answer longer than this is cut. */
const MAX_ERROR_BYTES = 64 * 1024;

/** Speaks HTTP/1.1 to an engine, over connections that are kept. */
export function connectTransport(host: Host): Transport {
  const agent = new Agent({ keepAlive: true });
  const to = {
    ...(host.kind === 'unix' ? { socketPath: host.path } : { hostname: host.hostname, port: host.port }),
    // For TLS, which is not spoken here. Left out, the agent makes it of the Host header, and compiles an expression
    // for IPv6 addresses for that, which takes as long as all the rest of a request (docs/decisions/0090).
    servername: '',
  };

  function open(wire: WireRequest, upgrade: boolean): ClientRequest {
    const body = wire.body === undefined ? undefined : JSON.stringify(wire.body);
    const headers: Record<string, string> = { Host: 'berth', ...wire.headers };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (wire.stream !== undefined) headers['Content-Type'] = 'application/x-tar';
    else if (body !== undefined || wire.method === 'POST')
      headers['Content-Length'] = String(Buffer.byteLength(body ?? ''));
    if (upgrade) Object.assign(headers, { Connection: 'Upgrade', Upgrade: 'tcp' });
    const sent = request({
      ...to,
      method: wire.method,
      path: wire.target,
      headers,
      ...(upgrade ? { agent: false } : { agent }),
      ...(wire.signal === undefined ? {} : { signal: wire.signal }),
    });
    if (wire.stream === undefined) sent.end(body);
    else writeStream(sent, wire.stream).catch((error: Error) => sent.destroy(error));
    return sent;
  }

  return {
    send: (wire) =>
      new Promise((resolve, reject) => {
        const sent = open(wire, false);
        sent.on('response', (answer) => {
          const status = answer.statusCode ?? 0;
          if (status < 400) resolve(answer);
          else readError(answer, status).then(reject, reject);
        });
        sent.on('error', (error) => reject(unreachable(host, error)));
      }),
    upgrade: (wire) =>
      new Promise((resolve, reject) => {
        const sent = open(wire, true);
        sent.on('upgrade', (_answer, socket, head) => {
          if (head.length > 0) socket.unshift(head);
          resolve(socket);
        });
        sent.on('response', (answer) => {
          const status = answer.statusCode ?? 0;
          if (status >= 400) readError(answer, status).then(reject, reject);
          else {
            answer.resume();
            reject(new BerthError('unsupported', `${formatHost(host)} does not upgrade ${wire.target}`));
          }
        });
        sent.on('error', (error) => reject(unreachable(host, error)));
      }),
    close: () => agent.destroy(),
  };
}

/** Writes a body as fast as the engine takes it; an answer that comes early, a refusal, ends it. */
async function writeStream(sent: ClientRequest, stream: ByteStream): Promise<void> {
  const answered = new Promise<'over'>((resolve) => {
    for (const event of ['response', 'close']) sent.once(event, () => resolve('over'));
  });
  for await (const chunk of stream) {
    if (sent.destroyed) return;
    if (sent.write(chunk)) continue;
    const drained = new Promise<'more'>((resolve) => sent.once('drain', () => resolve('more')));
    if ((await Promise.race([drained, answered])) === 'over') break;
  }
  sent.end();
}

async function readError(answer: IncomingMessage, status: number): Promise<BerthError> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (length < MAX_ERROR_BYTES) chunks.push(chunk);
    length += chunk.length;
  }
  const text = Buffer.concat(chunks).toString('utf8').trim();
  try {
    const body = JSON.parse(text) as ErrorBody;
    if (typeof body.message === 'string') return errorFromBody(status, body);
  } catch {
    // Not JSON: a proxy, or something that is no engine. Its words are the best there is.
  }
  return errorFromBody(status, { message: text === '' ? `the engine answered ${status}` : text });
}

/**
 * The chunks of an answer. A connection that breaks on the way throws what one throws that could not be made:
 * `unavailable`, or `cancelled`.
 */
export async function* chunksOf(answer: AsyncIterable<Buffer>, host: Host): AsyncGenerator<Buffer> {
  try {
    yield* answer;
  } catch (error) {
    throw error instanceof Error ? unreachable(host, error) : error;
  }
}

function unreachable(host: Host, error: Error): Error {
  // What the body was read from failed, not the way to the engine.
  if (error instanceof BerthError) return error;
  if (error.name === 'AbortError') return new BerthError('cancelled', 'cancelled', { cause: error });
  const where = formatHost(host);
  if (isErrno(error, 'ENOENT') || isErrno(error, 'ECONNREFUSED')) {
    return new BerthError('unavailable', `no engine answers at ${where}`, {
      hint: 'berth engine start',
      cause: error,
    });
  }
  if (isErrno(error, 'EACCES')) {
    return new BerthError('forbidden', `no permission to use ${where}`, {
      hint: 'run it as root, or join the group that owns the socket',
      cause: error,
    });
  }
  return new BerthError('unavailable', `the connection to ${where} failed: ${error.message}`, {
    cause: error,
  });
}

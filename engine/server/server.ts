import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { BerthError, errorBody, toBerthError } from '../api/errors.ts';
import { type Operation, type OperationId, operations } from '../api/operations.ts';
import { API_VERSION } from '../api/versions.ts';
import { readJsonBody, readMaybeJsonBody } from './body.ts';
import type { Exchange, Handler, Handlers, Reply, ServerParts } from './exchange.ts';
import { archiveHandlers } from './handlers/archives.ts';
import { containerHandlers } from './handlers/containers.ts';
import { diskUsageHandlers } from './handlers/disk-usage.ts';
import { execHandlers } from './handlers/exec.ts';
import { imageArchiveHandlers } from './handlers/image-archives.ts';
import { imageHandlers } from './handlers/images.ts';
import { madeImageHandlers } from './handlers/made-images.ts';
import { networkHandlers } from './handlers/networks.ts';
import { registryHandlers } from './handlers/registry.ts';
import { streamHandlers } from './handlers/streams.ts';
import { systemHandlers } from './handlers/system.ts';
import { usageHandlers } from './handlers/usage.ts';
import { volumeHandlers } from './handlers/volumes.ts';
import { joinStreams } from './hijack.ts';
import { PLAIN_ATTACH, upgradePlainAttach } from './plain-attach.ts';
import { readQuery } from './query.ts';
import { sendError, sendReply } from './reply.ts';
import { type Match, openRouter, splitVersion } from './router.ts';
import { type Unserved, unserved, unservedError } from './unserved.ts';
import { joinWebSocket } from './websocket.ts';

/** The paths whose connection becomes a program's streams. */
const TAKES_OVER = /\/(?:containers\/[^/]+\/attach(?:\/ws)?|exec\/[^/]+\/start)\/?(?:\?|$)/;
/** Credentials for a registry come in a header, and some registries' tokens are long. */
const MAX_HEADER_BYTES = 128 * 1024;

/** The Docker Engine API over HTTP: routes and checks from the operations table, answers from the parts. */
export function createServer(parts: ServerParts): Server {
  const handlers: Handlers = {
    ...systemHandlers(parts),
    ...imageHandlers(parts),
    ...imageArchiveHandlers(parts),
    ...containerHandlers(parts),
    ...streamHandlers(parts),
    ...archiveHandlers(parts),
    ...execHandlers(parts),
    ...madeImageHandlers(parts),
    ...networkHandlers(parts),
    ...usageHandlers(parts),
    ...volumeHandlers(parts),
    ...diskUsageHandlers(parts),
    ...registryHandlers(parts),
  };
  const served: readonly Operation[] = Object.values(operations);
  const find = openRouter<Operation | Unserved>([...served, ...unserved]);
  const identity = {
    'Api-Version': API_VERSION,
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `Berth/${parts.version().Version} (linux)`,
  };

  /** Answers a request. `socket` is there where the connection may be taken over. */
  async function answer(request: IncomingMessage, response: ServerResponse, socket?: Duplex): Promise<void> {
    const gone = new AbortController();
    (socket ?? response).once('close', () => gone.abort());
    for (const [name, value] of Object.entries(identity)) response.setHeader(name, value);
    try {
      const reply = await dispatch(request, gone.signal, socket !== undefined);
      if (reply.kind === 'attach' && socket !== undefined) await takeOver(request, response, socket, reply);
      else if (reply.kind === 'websocket' && socket !== undefined)
        await becomeWebSocket(request, response, socket, reply);
      else await sendReply(response, reply, gone.signal);
      // What a handler did not want to read would stand before the connection's next request.
      request.resume();
    } catch (thrown) {
      const error = toBerthError(thrown);
      if (error.code === 'internal') parts.warn(`${request.method} ${request.url}: ${stackOf(thrown)}`);
      sendError(response, error);
      request.resume();
    }
  }

  async function dispatch(request: IncomingMessage, signal: AbortSignal, takesOver: boolean): Promise<Reply> {
    const { pathname, parameters } = splitTarget(request.url ?? '/');
    const { path, apiMinor } = splitVersion(pathname);
    // Ping is the one thing that is asked for with HEAD; the body is then left out.
    const method = request.method === 'HEAD' && path === operations.ping.path ? 'GET' : request.method;
    const match = find(method ?? 'GET', path, parameters);
    if (match === undefined) throw new BerthError('notFound', 'page not found');
    if (!isServed(match)) throw unservedError(match.pattern as Unserved, match.path);
    const { pattern: operation } = match;
    const query = readQuery(operation.query, parameters);
    const body = await readBody(operation, request);
    // The body of a request that takes its connection over is not the program's input.
    if (takesOver) await drain(request);
    const { headers } = request;
    const exchange = { path: match.path, query, body, parameters, headers, apiMinor, signal };
    // The table says what each of them holds; readQuery and readJsonBody have checked it.
    const handler = handlers[operation.id as OperationId] as Handler<OperationId>;
    return await handler(exchange as unknown as Exchange);
  }

  const server = createHttpServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      // Some clients (socat, netcat) send none, and nothing here depends on it.
      requireHostHeader: false,
      // Kept connections are the client's to close: one that is closed here as it is reused is an error there.
      keepAliveTimeout: 0,
      shouldUpgradeCallback: (request) => TAKES_OVER.test(request.url ?? ''),
    },
    (request, response) => void answer(request, response),
  );
  server.on('upgrade', (request, socket, head) => {
    if (head.length > 0) socket.unshift(head);
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0]);
    socket.on('error', () => socket.destroy());
    response.on('finish', () => socket.end());
    void answer(request, response, socket);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
    const message = tooLong
      ? `the request's headers are longer than ${MAX_HEADER_BYTES / 1024} KiB`
      : `not an HTTP request: ${error.message}`;
    const text = JSON.stringify(errorBody(new BerthError('invalid', message)));
    const head = {
      ...identity,
      'Content-Type': 'application/json',
      'Content-Length': text.length,
      Connection: 'close',
    };
    const status = tooLong ? '431 Request Header Fields Too Large' : '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\n${headerLines(head)}\r\n${text}`);
  });
  upgradePlainAttach(server);
  return server;

  async function takeOver(
    request: IncomingMessage,
    response: ServerResponse,
    socket: Duplex,
    reply: Extract<Reply, { kind: 'attach' }>,
  ): Promise<void> {
    const plain = request.headers.upgrade?.includes(PLAIN_ATTACH) === true;
    const { attachment, detachKeys, contentType } = reply;
    response.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0]);
    const head = {
      ...identity,
      'Content-Type': contentType,
      ...(plain ? {} : { Connection: 'Upgrade', Upgrade: 'tcp' }),
    };
    socket.write(`HTTP/1.1 ${plain ? '200 OK' : '101 UPGRADED'}\r\n${headerLines(head)}\r\n`);
    await joinStreams({ socket, attachment, detachKeys });
  }

  async function becomeWebSocket(
    request: IncomingMessage,
    response: ServerResponse,
    socket: Duplex,
    reply: Extract<Reply, { kind: 'websocket' }>,
  ): Promise<void> {
    response.detachSocket(socket as Parameters<ServerResponse['detachSocket']>[0]);
    const headers = Object.entries(identity).map(([name, value]) => `${name}: ${value}`);
    await joinWebSocket({ ...reply, request, socket, headers });
  }
}

function isServed(match: Match<Operation | Unserved>): match is Match<Operation> {
  return 'id' in match.pattern;
}

async function readBody(operation: Operation, request: IncomingMessage): Promise<unknown> {
  switch (operation.body) {
    case 'none':
      return undefined;
    case 'json':
      return await readJsonBody(request);
    case 'maybeJson':
      return await readMaybeJsonBody(request);
    case 'bytes':
      // A handler may stop reading in the middle; the connection then still carries the answer.
      return request.iterator({ destroyOnReturn: false });
  }
}

/** Takes a request's target apart; through a proxy it comes with scheme and host (RFC 9112, section 3.2.2). */
function splitTarget(url: string): { readonly pathname: string; readonly parameters: URLSearchParams } {
  const target = url.replace(/^https?:\/\/[^/?]*/i, '');
  const mark = target.indexOf('?');
  if (mark < 0) return { pathname: target, parameters: new URLSearchParams() };
  return { pathname: target.slice(0, mark), parameters: new URLSearchParams(target.slice(mark + 1)) };
}

async function drain(request: IncomingMessage): Promise<void> {
  request.resume();
  if (!request.readableEnded) await finished(request, { writable: false });
}

const headerLines = (headers: Readonly<Record<string, string | number>>) =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

const stackOf = (thrown: unknown) =>
  thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);

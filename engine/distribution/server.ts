import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { BerthError, errorTable, toBerthError } from '../api/errors.ts';
import type { RegistryAccess } from '../api/wire/registry.ts';
import { Refusal, refusals } from '../images/hosted/error.ts';
import { answerBlob } from './blobs.ts';
import type { Answer, Ask, RegistryParts } from './exchange.ts';
import { answerCatalog, answerManifest, answerReferrers, answerTags } from './manifests.ts';
import { type Route, readRoute } from './routes.ts';
import { answerUpload, beginUpload } from './upload-requests.ts';
import type { Authenticate } from './users.ts';

export type RegistryServerOptions = RegistryParts & {
  /** Without it everybody may do everything. */
  readonly authenticate: Authenticate | undefined;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly readOnly: boolean;
  readonly onAccess: (access: RegistryAccess) => void;
  /** Tells the operator of errors that are the engine's own. */
  readonly warn: (message: string) => void;
};

const CHALLENGE = 'Basic realm="berth", charset="UTF-8"';
/** A client that neither sends nor takes anything for so long is let go. */
const IDLE_MS = 120_000;
const MAX_CONNECTIONS = 2_000;
const READS = ['GET', 'HEAD'];
const METHODS: Readonly<Record<Route['kind'], readonly string[]>> = {
  base: READS,
  catalog: READS,
  tags: READS,
  referrers: READS,
  blob: [...READS, 'DELETE'],
  manifest: [...READS, 'PUT', 'DELETE'],
  uploads: ['POST'],
  upload: ['GET', 'PATCH', 'PUT', 'DELETE'],
};

/** The OCI distribution protocol over HTTP, v1.1, with what docker's registry has beside it. Throws on malformed TLS. */
export function createRegistryServer(options: RegistryServerOptions): Server {
  const { authenticate, tls, onAccess, warn } = options;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedMs = performance.now();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const { method = '', url = '', headers } = request;
    const remote = `${request.socket.remoteAddress}:${request.socket.remotePort}`;
    let user: string | undefined;
    let bytes = 0;
    try {
      user = await authenticate?.(headers.authorization, gone.signal);
      if (authenticate !== undefined && user === undefined)
        throw new Refusal('UNAUTHORIZED', 'authentication required');
      bytes = await send(response, method, await handle(request, gone.signal));
    } catch (error) {
      if (!gone.signal.aborted) bytes = sendError(response, error, warnOf(request, warn));
    }
    // What a handler did not want to read would stand before the connection's next request.
    request.resume();
    const durationMs = Math.round(performance.now() - startedMs);
    const said = { method, path: url.slice(0, 1_000), remote, durationMs, bytes };
    const { statusCode: status } = response;
    onAccess({ time: new Date().toISOString(), ...said, status, ...(user === undefined ? {} : { user }) });
  }

  async function handle(request: IncomingMessage, signal: AbortSignal): Promise<Answer> {
    const { method = '', url = '', headers } = request;
    const mark = url.indexOf('?');
    const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    const route = readRoute(mark < 0 ? url : url.slice(0, mark));
    if (route === undefined) return { status: 404 };
    if (!METHODS[route.kind].includes(method))
      throw new Refusal(
        'UNSUPPORTED',
        `${method} is not for ${route.kind}: ${METHODS[route.kind].join(', ')}`,
      );
    if (options.readOnly && !READS.includes(method))
      throw new Refusal('DENIED', 'this registry is read-only');
    // Keeping a large image takes its time, in which nothing is said.
    if (route.kind === 'manifest') request.socket.setTimeout(0);
    const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    return await dispatch(options, route, { method, query, headers, body, signal });
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(request, response);
  // Uploads last as long as they last; it is the silence that ends them.
  const limits = { requestTimeout: 0, keepAliveTimeout: 30_000 };
  const server =
    tls === undefined
      ? createHttpServer(limits, listener)
      : createHttpsServer({ ...limits, ...tls, minVersion: 'TLSv1.2' }, listener);
  server.timeout = IDLE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function dispatch(parts: RegistryParts, route: Route, ask: Ask): Promise<Answer> {
  switch (route.kind) {
    case 'base':
      return { status: 200, headers: { 'Content-Type': 'application/json' }, body: Buffer.from('{}') };
    case 'catalog':
      return answerCatalog(parts, ask);
    case 'tags':
      return answerTags(parts, ask, route);
    case 'referrers':
      return answerReferrers(parts, ask, route);
    case 'blob':
      return await answerBlob(parts, ask, route);
    case 'manifest':
      return await answerManifest(parts, ask, route);
    case 'uploads':
      return await beginUpload(parts, ask, route);
    case 'upload':
      return await answerUpload(parts, ask, route);
  }
}

/** Gives the bytes of the body that were sent. */
async function send(response: ServerResponse, method: string, answer: Answer): Promise<number> {
  const { status, headers = {}, body = Buffer.alloc(0) } = answer;
  const length = Buffer.isBuffer(body) ? body.length : body.end - body.start;
  if (status !== 204) response.setHeader('Content-Length', length);
  response.writeHead(status, headers);
  if (Buffer.isBuffer(body)) {
    response.end(method === 'HEAD' ? undefined : body);
    return method === 'HEAD' ? 0 : length;
  }
  const { file, start, end } = body;
  if (method === 'HEAD' || length === 0) {
    response.end();
    await file.close();
    return 0;
  }
  // It closes the file, whatever happens.
  await pipeline(file.createReadStream({ start, end: end - 1, highWaterMark: 256 * 1024 }), response);
  return length;
}

/** OCI distribution spec, "Error Codes". Gives the bytes sent. */
function sendError(response: ServerResponse, thrown: unknown, warn: (error: unknown) => void): number {
  if (response.headersSent) {
    response.destroy();
    return 0;
  }
  const error = toBerthError(thrown);
  const refusal = error instanceof Refusal ? error.reason : undefined;
  const status = refusal === undefined ? errorTable[error.code].http : refusals[refusal].http;
  if (status >= 500 && error.code !== 'unavailable') warn(thrown);
  // What went wrong inside is the operator's to know.
  const message = error.code === 'internal' ? 'the engine failed: its log says why' : error.message;
  const code = refusal === 'TOO_LARGE' ? 'SIZE_INVALID' : (refusal ?? 'UNKNOWN');
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message }] }));
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    ...(status === 401 ? { 'WWW-Authenticate': CHALLENGE } : {}),
    ...(status === 429 ? { 'Retry-After': '10' } : {}),
  });
  response.end(body);
  return body.length;
}

function warnOf(request: IncomingMessage, warn: (message: string) => void): (error: unknown) => void {
  return (error) => {
    const text = error instanceof BerthError ? (error.cause ?? error) : error;
    warn(`registry: ${request.method} ${request.url}: ${text instanceof Error ? text.stack : String(text)}`);
  };
}

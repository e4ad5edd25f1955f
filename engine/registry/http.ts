import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { BerthError, isErrno } from '../api/errors.ts';
import { type Endpoint, isLoopback, type RegistryLimits } from './settings.ts';

/** One HTTP exchange with a registry, redirects included. No retries here, no authorization of its own. */

export type Exchange = {
  readonly url: URL;
  readonly method?: Method;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  /** Whether it goes to no other host than the first, because the body is a secret. */
  readonly bound?: boolean;
  readonly endpoint: Endpoint;
  readonly limits: RegistryLimits;
  readonly signal: AbortSignal;
};

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is sent: bytes, or pieces that are read as fast as they are taken, and anew each time the request is sent. */
export type Body =
  | { readonly bytes: Uint8Array | string }
  | { readonly pieces: () => AsyncIterable<Uint8Array>; readonly sizeBytes: number };

export type Answer = {
  readonly status: number;
  /** Where it came from, after redirects. */
  readonly url: URL;
  readonly header: (name: string) => string | undefined;
  /** The pieces of the body; throws `unavailable` when none comes for too long or the connection breaks. */
  readonly body: AsyncIterable<Buffer>;
  /** Lets go of the connection without reading the body. */
  readonly discard: () => void;
};

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const USER_AGENT = 'berth';

/** Where a connection can't be made at all: asking again at once is of no use. */
const HOPELESS = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'EINVAL']);

/**
 * Sends a request and gives the head of its answer, whatever its status, after up to 5 redirects. Authorization
 * goes only to the host that was asked (RFC 9110, 15.4). Throws `unavailable` on any trouble with the network,
 * `cancelled` when the signal fires.
 */
export async function exchange(options: Exchange): Promise<Answer> {
  let current = options;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const answer = await exchangeOnce(current);
    const location = answer.header('location');
    if (!REDIRECTS.has(answer.status) || location === undefined) return answer;
    answer.discard();
    current = { ...redirected(current, location), method: current.method ?? 'GET' };
    if (options.bound === true && current.url.origin !== options.url.origin)
      throw new BerthError('unavailable', `${options.url.host} redirects credentials to ${current.url.host}`);
  }
  throw new BerthError('unavailable', `${options.url.host} redirects more than ${MAX_REDIRECTS} times`);
}

/**
 * The same request to another address, which the registry named: without the Authorization where it is another host,
 * and never from TLS to plain HTTP. Throws `unavailable` on an address that is none.
 */
export function redirected(from: Exchange, location: string): Exchange {
  const url = URL.parse(location, from.url);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new BerthError('unavailable', `${from.url.host} redirects to a malformed address`);
  }
  if (url.protocol === 'http:' && from.url.protocol === 'https:' && from.endpoint.tls === 'checked') {
    throw new BerthError(
      'unavailable',
      `${from.url.host} redirects from HTTPS to plain HTTP, at ${url.host}`,
    );
  }
  if (url.host === from.url.host) return { ...from, url };
  const { authorization: _, ...headers } = from.headers ?? {};
  // What is known of the first host (its authority, its leave to go unchecked) says nothing of this one.
  const tls = isLoopback(url.host) ? 'unchecked' : from.endpoint.tls;
  return { ...from, url, headers, endpoint: { ...from.endpoint, tls, ca: undefined } };
}

const agents = new Map<string, HttpAgent>();

/** Connections are kept and shared between requests that trust the same things. */
function agentFor(url: URL, endpoint: Endpoint): HttpAgent {
  const secure = url.protocol === 'https:';
  // Proxies are the environment's; what is on this machine is never asked through one.
  const direct = isLoopback(url.host);
  const key = JSON.stringify([secure, direct, endpoint.tls, endpoint.ca]);
  let agent = agents.get(key);
  if (agent === undefined) {
    const options = { keepAlive: true, ...(direct ? {} : { proxyEnv: process.env }) };
    agent = secure
      ? new HttpsAgent({ ...options, rejectUnauthorized: endpoint.tls === 'checked', ca: endpoint.ca })
      : new HttpAgent(options);
    agents.set(key, agent);
  }
  return agent;
}

async function exchangeOnce(options: Exchange): Promise<Answer> {
  const { url, method = 'GET', body, endpoint, limits, signal } = options;
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
  let timer: NodeJS.Timeout | undefined;
  let settled = false;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = start(url, {
        method,
        headers: { 'user-agent': USER_AGENT, ...lengthOf(method, body), ...options.headers },
        agent: agentFor(url, endpoint),
        signal,
      });
      const expire = (ms: number, what: string) => {
        clearTimeout(timer);
        if (settled) return;
        timer = setTimeout(() => outgoing.destroy(new TimeoutError(`${what} within ${ms / 1000} s`)), ms);
      };
      const sent = () =>
        expire(body === undefined ? limits.answerTimeoutMs : limits.commitTimeoutMs, 'it did not answer');
      const taken = () => expire(limits.stallTimeoutMs, 'it took no data');
      const connected = body === undefined ? sent : taken;
      expire(limits.connectTimeoutMs, 'no connection');
      outgoing.once('error', reject);
      outgoing.once('response', resolve);
      outgoing.once('socket', (socket: Socket) => {
        if (!socket.connecting) return connected();
        socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected);
      });
      if (body === undefined) return void outgoing.end();
      if ('bytes' in body) return void outgoing.end(body.bytes, sent);
      writePieces(outgoing, body.pieces(), taken).then(
        sent,
        // A registry that answers before it has taken all has its reasons; they are in the answer.
        (error: Error) => !settled && outgoing.destroy(error),
      );
    });
    return {
      status: response.statusCode ?? 0,
      url,
      header: (name) => [response.headers[name]].flat()[0],
      body: bodyOf(response, options),
      discard: () => response.destroy(),
    };
  } catch (error) {
    throw networkError(error, url, signal);
  } finally {
    settled = true;
    clearTimeout(timer);
  }
}

function lengthOf(method: Method, body: Body | undefined): Readonly<Record<string, string | number>> {
  if (body === undefined) return method === 'GET' || method === 'HEAD' ? {} : { 'content-length': 0 };
  const bytes = 'bytes' in body ? Buffer.byteLength(body.bytes) : body.sizeBytes;
  return { 'content-length': bytes };
}

/** Writes pieces as fast as they are taken; stops when the connection has gone. */
async function writePieces(
  outgoing: ClientRequest,
  pieces: AsyncIterable<Uint8Array>,
  onTaken: () => void,
): Promise<void> {
  for await (const piece of pieces) {
    if (outgoing.destroyed) return;
    if (outgoing.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const done = () => {
        outgoing.off('drain', done).off('close', done);
        resolve();
      };
      outgoing.on('drain', done).on('close', done);
    });
    onTaken();
  }
  outgoing.end();
}

class TimeoutError extends Error {}

async function* bodyOf(response: IncomingMessage, { url, limits, signal }: Exchange): AsyncGenerator<Buffer> {
  const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const wait = `no data came for ${limits.stallTimeoutMs / 1000} s`;
  let timer: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      // Only waiting counts: a reader that is slow itself must not be taken for a registry that is.
      timer = setTimeout(() => response.destroy(new TimeoutError(wait)), limits.stallTimeoutMs);
      const { value, done } = await pieces.next();
      clearTimeout(timer);
      if (done === true) return;
      yield value;
    }
  } catch (error) {
    throw networkError(error, url, signal);
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
}

/** Says in words what went wrong between here and a host. */
function networkError(error: unknown, url: URL, signal: AbortSignal): unknown {
  if (signal.aborted) return new BerthError('cancelled', 'the transfer was cancelled', { cause: error });
  if (error instanceof BerthError || !(error instanceof Error)) return error;
  const { code = '' } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there',
    ENOTFOUND: 'no such host',
    EAI_AGAIN: 'the name could not be looked up: DNS does not answer',
    ECONNRESET: 'the connection was cut',
    EPIPE: 'the connection was cut',
    ETIMEDOUT: 'no connection in time',
    EHOSTUNREACH: 'no route to it',
    ENETUNREACH: 'no route to it',
  };
  const why = words[code] ?? (error.message || code);
  const hint = isCertificateError(error)
    ? `have its certificate signed by a known authority, or name ${url.host} under insecureRegistries in the engine's settings`
    : HOPELESS.has(code)
      ? `check that ${url.host} is right and reachable from here`
      : 'try again';
  const reached = !HOPELESS.has(code) && code !== 'EAI_AGAIN';
  const what = reached
    ? `the registry at ${url.origin} failed`
    : `cannot reach the registry at ${url.origin}`;
  return new BerthError('unavailable', `${what}: ${why}`, {
    hint,
    cause: error,
  });
}

function isCertificateError(error: Error): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return /CERT|SIGNATURE|ISSUER|ERR_TLS/.test(code);
}

/** Whether a failure may pass if the same thing is asked again. */
export function mayPass(error: unknown): boolean {
  if (!(error instanceof BerthError) || error.code !== 'unavailable') return false;
  const { cause } = error;
  if (!(cause instanceof Error)) return false;
  return (
    !isCertificateError(cause) &&
    ![...HOPELESS, 'EPROTO'].some((code) => isErrno(cause, code)) &&
    !isTls(cause)
  );
}

/** OpenSSL's own errors: the peer speaks no TLS, or another. */
function isTls(error: Error): boolean {
  return /^ERR_SSL_/.test((error as NodeJS.ErrnoException).code ?? '');
}

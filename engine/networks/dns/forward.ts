import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, isIPv6 } from 'node:net';

/** Questions that others answer. They go out from the host, so that a server on its loopback answers too. */

const DNS_PORT = 53;
/** How long one server may take, of those that a name is asked of in turn. */
const PATIENCE_MS = 2_000;
/** How many questions may be on their way at once. */
const MAX_ASKED = 1_000;
const HOST_FILE = '/etc/resolv.conf';
/** The host's file is read again when it is older than this. */
const FRESH_MS = 5_000;

let asked = 0;
let host: { readonly servers: readonly string[]; readonly readAt: number } | undefined;

/** The answer to a message, with the message's own id; undefined where none of the servers gave any. */
export async function forward(
  message: Buffer,
  { servers, overTcp }: { readonly servers: readonly string[]; readonly overTcp: boolean },
): Promise<Buffer | undefined> {
  if (asked >= MAX_ASKED) return undefined;
  asked += 1;
  try {
    for (const server of servers.length > 0 ? servers : hostServers()) {
      const found = await (overTcp ? askOverTcp(message, server) : askOverUdp(message, server));
      if (found !== undefined) return found;
    }
    return undefined;
  } finally {
    asked -= 1;
  }
}

function hostServers(): readonly string[] {
  const now = Date.now();
  if (host !== undefined && now - host.readAt < FRESH_MS) return host.servers;
  let text = '';
  try {
    text = readFileSync(HOST_FILE, 'utf8');
  } catch {
    // A host without one asks its own loopback (resolv.conf(5)).
  }
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
  host = { servers: servers.length > 0 ? servers : ['127.0.0.1'], readAt: now };
  return host.servers;
}

/** From a port of its own each time, with an id that was drawn: nobody can guess both and answer first (RFC 5452). */
function askOverUdp(message: Buffer, server: string): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
  const id = randomInt(65536);
  const question = withId(message, id);
  const end = (found: Buffer | undefined) => {
    clearTimeout(timer);
    socket.close();
    resolve(found);
  };
  const timer = setTimeout(() => end(undefined), PATIENCE_MS);
  socket.once('error', () => end(undefined));
  socket.on('message', (found) => {
    if (found.length < 12 || found.readUInt16BE(0) !== id || !sameQuestion(found, question)) return;
    end(withId(found, message.readUInt16BE(0)));
  });
  // Connected: what others send is not received, and a port where nobody listens is told.
  socket.connect(DNS_PORT, server, () => socket.send(question));
  return promise;
}

function askOverTcp(message: Buffer, server: string): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const socket = connect({ port: DNS_PORT, host: server });
  let seen = Buffer.alloc(0);
  const end = (found: Buffer | undefined) => {
    socket.destroy();
    resolve(found);
  };
  socket.setTimeout(PATIENCE_MS, () => end(undefined));
  socket.once('error', () => end(undefined)).once('close', () => end(undefined));
  socket.on('data', (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    const length = seen.length < 2 ? Number.POSITIVE_INFINITY : seen.readUInt16BE(0);
    if (seen.length >= 2 + length) end(seen.subarray(2, 2 + length));
  });
  socket.once('connect', () => socket.write(withLength(message)));
  return promise;
}

/** A message as it goes over TCP (RFC 1035, section 4.2.2). */
export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** Names are compared as they stand: a server gives the question back letter by letter. */
function sameQuestion(found: Buffer, question: Buffer): boolean {
  let end = 12;
  while (end < question.length && question[end] !== 0) end += (question[end] ?? 0) + 1;
  return found.subarray(12, end + 5).equals(question.subarray(12, end + 5));
}

import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** What `Upgrade` says on a request that got it here. Its answer is 200: the client asked for no upgrade. */
export const PLAIN_ATTACH = 'berth-plain-attach';

const REQUEST_LINE =
  /^POST \/(?:v[\d.]+\/)?(?:containers\/[^/ ?]+\/attach|exec\/[^/ ?]+\/start)\/?(?:\?[^ ]*)? HTTP\/1\.1$/;
const START = Buffer.from('POST /');
/** A head longer than this is left to the HTTP parser, which refuses it. */
const MAX_HEAD_BYTES = 64 * 1024;

/**
 * An attach, and the start of an exec, takes its connection over even where the client asks for no upgrade: what it sends after the head is
 * the program's input (Engine API, ContainerAttach and ExecStart). Node's server gives a connection away for an upgrade only,
 * so the head of such a request gets one before it is parsed. Looked at is what a connection begins with, and what
 * comes once an answer is out: clients that keep connections (Node's own, for one) attach over a used one.
 */
export function upgradePlainAttach(server: Server): void {
  const serve = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    lookAtHead(socket, (bytes) => {
      for (const listener of serve) listener.call(server, socket);
      socket.unshift(bytes);
      socket.resume();
    });
  });
  const underway = new WeakMap<Duplex, number>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const count = (change: number) => {
      const now = (underway.get(socket) ?? 0) + change;
      underway.set(socket, now);
      return now;
    };
    count(1);
    response.once('finish', async () => {
      // What is left of a body that was refused before it was read is no head.
      if (!request.readableEnded) await once(request, 'close');
      // Requests sent without waiting are with the parser already.
      if (count(-1) === 0 && response.shouldKeepAlive && !socket.destroyed) lookBetween(socket);
    });
  });
}

/** Holds the HTTP parser's listeners back until it is clear what the next request is. */
function lookBetween(socket: Socket): void {
  const parse = socket.listeners('data') as ((chunk: Buffer) => void)[];
  socket.removeAllListeners('data');
  lookAtHead(socket, (bytes) => {
    for (const listener of parse) socket.on('data', listener);
    socket.emit('data', bytes);
    socket.resume();
  });
}

/** Reads until it is clear what the bytes are, and gives on what is to be parsed. A client that ends before is let go. */
function lookAtHead(socket: Socket, parse: (bytes: Buffer) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const giveUp = () => socket.destroy();
  const look = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const bytes = withUpgrade(seen);
    if (bytes === undefined) return;
    socket.off('data', look).off('end', giveUp).off('error', giveUp).pause();
    parse(bytes);
  };
  socket.on('data', look).on('end', giveUp).on('error', giveUp);
}

/** The bytes to parse; undefined while it is not clear yet what they are. */
export function withUpgrade(seen: Buffer): Buffer | undefined {
  const known = Math.min(seen.length, START.length);
  if (seen.length >= MAX_HEAD_BYTES || seen.compare(START, 0, known, 0, known) !== 0) return seen;
  const lineEnd = seen.indexOf('\r\n');
  if (lineEnd < 0) return undefined;
  if (!REQUEST_LINE.test(seen.toString('latin1', 0, lineEnd))) return seen;
  const headEnd = seen.indexOf('\r\n\r\n', lineEnd);
  if (headEnd < 0) return undefined;
  if (/\r\nupgrade[ \t]*:/i.test(seen.toString('latin1', lineEnd, headEnd))) return seen;
  return Buffer.concat([
    seen.subarray(0, lineEnd),
    Buffer.from(`\r\nConnection: Upgrade\r\nUpgrade: ${PLAIN_ATTACH}`),
    seen.subarray(lineEnd),
  ]);
}

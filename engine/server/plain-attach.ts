import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** What `Upgrade` says on a request that got it here. Its answer is 200: the client asked for no upgrade. */
export const PLAIN_ATTACH = 'berth-plain-attach';

const REQUEST_LINE = /^POST \/(?:v[\d.]+\/)?containers\/[^/ ?]+\/attach\/?(?:\?[^ ]*)? HTTP\/1\.1$/;
const START = Buffer.from('POST /');
/** A head longer than this is left to the HTTP parser, which refuses it. */
const MAX_HEAD_BYTES = 64 * 1024;

/**
 * An attach takes its connection over even where the client asks for no upgrade: what it sends after the head is
 * the container's input (Engine API, ContainerAttach). Node's server gives a connection away for an upgrade only,
 * so the head of such a request, the first on its connection, gets one before it is parsed.
 */
export function upgradePlainAttach(server: Server): void {
  const serve = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket) => {
    let seen: Buffer = Buffer.alloc(0);
    const giveUp = () => socket.destroy();
    const look = (chunk: Buffer) => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const bytes = withUpgrade(seen);
      if (bytes === undefined) return;
      socket.off('data', look).off('end', giveUp).off('error', giveUp).pause();
      for (const listener of serve) listener.call(server, socket);
      socket.unshift(bytes);
      socket.resume();
    };
    socket.on('data', look).on('end', giveUp).on('error', giveUp);
  });
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

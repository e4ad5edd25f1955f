import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import type { Attachment } from '../containers/types.ts';
import { watchDetachKeys } from './detach.ts';

/** A message longer than this is refused: it is what somebody types, or pipes in pieces. */
const MAX_MESSAGE_BYTES = 4 * 2 ** 20;

/** Whether a request asks for a websocket (RFC 6455). */
export function asksForWebSocket(request: Pick<IncomingMessage, 'headers'>): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Makes a connection a websocket and gives it to a container (Engine API, ContainerAttachWebsocket): its output goes
 * out as it is, both streams in one; what text and binary messages hold goes in. Either side's end closes it.
 */
export async function joinWebSocket(options: {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly attachment: Attachment;
  readonly detachKeys: readonly number[];
  /** Whether output goes in binary messages, or in text. */
  readonly binary: boolean;
  /** Lines that go out with the answer's head. */
  readonly headers: readonly string[];
}): Promise<void> {
  const { attachment, binary } = options;
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    clientTracking: false,
  });
  server.on('headers', (lines: string[]) => lines.push(...options.headers));
  const { promise, resolve } = Promise.withResolvers<WebSocket | undefined>();
  // A handshake that is wrong is answered, and ends the connection.
  options.socket.once('close', () => resolve(undefined));
  server.handleUpgrade(options.request, options.socket, Buffer.alloc(0), resolve);
  const client = await promise;
  const leave = () => attachment.close();
  if (client === undefined) return leave();
  client.on('close', leave).on('error', leave);
  passMessages(client, options);
  try {
    for await (const { data } of attachment.output) {
      if (client.readyState !== client.OPEN) break;
      await new Promise<void>((sent) => client.send(data, { binary }, () => sent()));
    }
  } finally {
    leave();
    client.close(1000);
  }
}

function passMessages(
  client: WebSocket,
  options: { readonly attachment: Attachment; readonly detachKeys: readonly number[] },
): void {
  const { attachment, detachKeys } = options;
  const { input } = attachment;
  let open = input !== undefined;
  const watch = watchDetachKeys(detachKeys);
  client.on('message', (message: RawData) => {
    if (!open || input === undefined) return;
    const { pass, detached } = watch(message as Buffer);
    if (pass.length > 0 && !input.write(pass)) client.pause();
    if (!detached) return;
    open = false;
    attachment.detached?.();
    attachment.close();
  });
  // Its end is the websocket's: there is no half of one.
  client.on('close', () => {
    if (open) input?.end();
    open = false;
  });
  input?.on('drain', () => client.resume());
  // EPIPE: the container closed its input, or has ended. Its output may go on; what the client still sends is dropped.
  input?.on('error', () => {
    open = false;
    client.resume();
  });
}

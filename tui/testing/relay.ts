import { once } from 'node:events';
import { unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A socket in front of an engine that can be taken away and given back: a connection that is lost and found. */
export type Relay = AsyncDisposable & {
  readonly host: string;
  /** How many connections were made to the engine so far. */
  readonly connections: () => number;
  /** How many bytes went to the engine so far. */
  readonly sentBytes: () => number;
  cut(): Promise<void>;
  restore(): Promise<void>;
};

export async function startRelay(options: { readonly from: string; readonly to: string }): Promise<Relay> {
  const { from, to } = options;
  const open = new Set<Socket>();
  let connections = 0;
  let sentBytes = 0;
  let server: Server | undefined;

  async function restore(): Promise<void> {
    server = createServer({ allowHalfOpen: true }, (client) => {
      connections += 1;
      const engine = connect({ path: to, allowHalfOpen: true });
      client.on('data', (chunk) => {
        sentBytes += chunk.length;
      });
      client.pipe(engine).pipe(client);
      for (const [socket, other] of [
        [client, engine],
        [engine, client],
      ] as const) {
        open.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          open.delete(socket);
          other.destroy();
        });
      }
    }).listen(from);
    await once(server, 'listening');
  }

  async function cut(): Promise<void> {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    const closed = once(closing, 'close');
    closing.close();
    for (const socket of open) socket.destroy();
    await closed;
    await unlink(from).catch(() => undefined);
  }

  await restore();
  return {
    host: `unix://${from}`,
    connections: () => connections,
    sentBytes: () => sentBytes,
    cut,
    restore,
    [Symbol.asyncDispose]: cut,
  };
}

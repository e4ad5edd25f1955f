import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';

export type TappedConnection = { readonly requests: readonly string[]; closedAt: number | undefined };

/** A socket between a front end and its engine that sees requests come and connections go, and can go itself. */
export type Wiretap = AsyncDisposable & {
  readonly host: string;
  readonly connections: readonly TappedConnection[];
  /** Cuts every connection and listens no more, as an engine does that is killed. */
  unplug(): Promise<void>;
  plug(): Promise<void>;
};

/** Listens at `path` and passes everything on to the engine's socket `to`. */
export async function tapWire(path: string, to: string): Promise<Wiretap> {
  const connections: (TappedConnection & { requests: string[] })[] = [];
  const sockets = new Set<Socket>();

  const open = () =>
    createServer({ allowHalfOpen: true }, (near) => {
      const far = connect(to.replace(/^unix:\/\//, ''));
      const seen = { requests: [] as string[], closedAt: undefined as number | undefined };
      connections.push(seen);
      near.on('data', (chunk: Buffer) => {
        const line = /^(?:GET|POST|DELETE|HEAD) \S+/.exec(chunk.toString('latin1'));
        if (line) seen.requests.push(line[0]);
      });
      near.pipe(far).pipe(near);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          sockets.delete(socket);
          seen.closedAt ??= performance.now();
          other.destroy();
        });
      }
    });
  let server = open();

  const plug = async () => {
    server = open();
    server.listen(path);
    await once(server, 'listening');
  };
  const unplug = async () => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) {
      server.close();
      await once(server, 'close');
    }
    await rm(path, { force: true });
  };
  await plug();
  return { host: `unix://${path}`, connections, plug, unplug, [Symbol.asyncDispose]: unplug };
}

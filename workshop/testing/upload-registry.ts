import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A registry of our own that takes pushes, and fails the way it is told to. Plain HTTP on loopback. */
export type UploadRegistry = AsyncDisposable & {
  readonly host: string;
  readonly url: string;
  /** What was asked, in order: `PATCH /v2/…`, with its headers. */
  readonly requests: readonly Upload[];
  /** By digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** By tag. */
  readonly manifests: ReadonlyMap<string, Buffer>;
};

export type Upload = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** How many requests of this method came before. */
  readonly earlier: number;
};

/** What to do instead of what was asked. */
export type UploadLie =
  | {
      readonly do: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Ends the connection after so many bytes of what is sent; they are kept. */
  | { readonly do: 'cut'; readonly afterBytes: number }
  /** Says that another manifest was taken. */
  | { readonly do: 'other' };

/** Starts it, on a free port where none is given. `lie` is asked about each request; undefined means the truth. */
export async function startUploadRegistry(
  lie: (asked: Upload) => UploadLie | undefined = () => undefined,
  port = 0,
): Promise<UploadRegistry> {
  const requests: Upload[] = [];
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, Buffer>();
  const uploads = new Map<string, Buffer>();

  const take = async (request: IncomingMessage, id: string, limit = Number.POSITIVE_INFINITY) => {
    for await (const piece of request as AsyncIterable<Buffer>) {
      const before = uploads.get(id) ?? Buffer.alloc(0);
      uploads.set(id, Buffer.concat([before, piece]).subarray(0, limit));
      if (before.length + piece.length >= limit) return request.socket.destroy();
    }
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = request;
    const asked = {
      method,
      path: url,
      headers,
      earlier: requests.filter((each) => each.method === method).length,
    };
    requests.push(asked);
    const how = lie(asked);
    const { pathname, searchParams } = new URL(url, 'http://registry');
    const [, kind = '', target = ''] = /\/(blobs\/uploads|blobs|manifests)\/([^/]*)$/.exec(pathname) ?? [];
    const say = (status: number, more: Readonly<Record<string, string | number>> = {}) =>
      void response.writeHead(status, { 'content-length': 0, ...more }).end();
    const place = (id: string) => ({
      location: `/v2/app/blobs/uploads/${id}`,
      range: `0-${Math.max(0, (uploads.get(id)?.length ?? 0) - 1)}`,
    });
    if (how?.do === 'status') {
      request.resume();
      response.writeHead(how.status, how.headers).end(how.body);
      return;
    }
    if (how?.do === 'cut') return void (await take(request, target, how.afterBytes).catch(() => {}));
    if (kind === 'manifests' && method === 'PUT') {
      const bytes = Buffer.concat(await request.toArray());
      manifests.set(target, bytes);
      const digest = how?.do === 'other' ? `sha256:${'0'.repeat(64)}` : digestOf(bytes);
      return say(201, { 'docker-content-digest': digest });
    }
    if (kind === 'blobs') return blobs.has(target) ? say(200) : say(404);
    if (kind !== 'blobs/uploads') return say(pathname === '/v2/' ? 200 : 404);
    if (method === 'POST') {
      const id = `u${requests.length}`;
      uploads.set(id, Buffer.alloc(0));
      return say(202, place(id));
    }
    if (!uploads.has(target)) return say(404);
    if (method === 'GET') return say(204, place(target));
    if (method === 'DELETE') return say(uploads.delete(target) ? 204 : 404);
    const start = /^(\d+)-/.exec(headers['content-range'] ?? '')?.[1];
    if (start !== undefined && Number(start) !== uploads.get(target)?.length) {
      request.resume();
      return say(416, place(target));
    }
    await take(request, target);
    if (method === 'PATCH') return say(202, place(target));
    const bytes = uploads.get(target) ?? Buffer.alloc(0);
    const digest = searchParams.get('digest') ?? '';
    if (digestOf(bytes) !== digest) return say(400);
    blobs.set(digest, bytes);
    uploads.delete(target);
    say(201);
  };

  const server = createServer(
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  );
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    requests,
    blobs,
    manifests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

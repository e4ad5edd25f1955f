import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestBlob, TestImage } from './images.ts';

/** A registry of our own that serves what it is told, and fails the way it is told to. Plain HTTP on loopback. */
export type LyingRegistry = AsyncDisposable & {
  readonly host: string;
  readonly url: string;
  /** What was asked, in order. */
  readonly requests: readonly Asked[];
};

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly kind: 'manifest' | 'blob' | 'token' | 'other';
  /** Tag or digest. */
  readonly target: string;
  /** How often the same path was asked for before. */
  readonly earlier: number;
  readonly headers: IncomingMessage['headers'];
};

/** What to do instead of answering truly. */
export type Lie =
  | {
      readonly do: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly do: 'html' }
  /** Ends the connection after so many bytes of the body. */
  | { readonly do: 'cut'; readonly afterBytes: number }
  /** Sends so many bytes of the body and then nothing, for ever. */
  | { readonly do: 'stall'; readonly afterBytes: number }
  /** Takes the request and says nothing. */
  | { readonly do: 'silence' }
  /** Other bytes of the same length. */
  | { readonly do: 'corrupt' }
  | { readonly do: 'serve'; readonly bytes: Buffer; readonly headers?: Readonly<Record<string, string>> }
  /** The truth, but all of it where a range was asked for. */
  | { readonly do: 'ignoreRange' };

export type Served = {
  readonly name: string;
  readonly tag?: string;
  readonly image?: TestImage;
  /** An index, or a manifest without its blobs. */
  readonly manifest?: TestBlob;
};

/** Starts it. `lie` is asked about each request; undefined means the truth. */
export async function startLyingRegistry(
  served: readonly Served[],
  lie: (asked: Asked) => Lie | undefined = () => undefined,
): Promise<LyingRegistry> {
  const requests: Asked[] = [];
  const server = createServer((request, response) => {
    const asked = readRequest(request, requests);
    requests.push(asked);
    answer(response, { asked, lie: lie(asked), truth: truthOf(asked, served) });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function readRequest(request: IncomingMessage, before: readonly Asked[]): Asked {
  const { method = '', url: path = '', headers } = request;
  const [, kind, target = ''] = /\/(manifests|blobs)\/([^/?]+)$/.exec(path) ?? [];
  const kinds = { manifests: 'manifest', blobs: 'blob' } as const;
  return {
    method,
    path,
    kind: path.startsWith('/token') ? 'token' : (kinds[kind as keyof typeof kinds] ?? 'other'),
    target,
    earlier: before.filter((asked) => asked.path === path).length,
    headers,
  };
}

type Truth = { readonly bytes: Buffer; readonly headers: Readonly<Record<string, string>> };

function truthOf({ kind, path, target }: Asked, served: readonly Served[]): Truth | undefined {
  if (path === '/v2/') return { bytes: Buffer.from('{}'), headers: { 'content-type': 'application/json' } };
  const here = served.filter(({ name }) => path.startsWith(`/v2/${name}/`));
  if (kind === 'manifest') {
    for (const { tag = 'latest', image, manifest = image?.manifest } of here) {
      if (manifest !== undefined && [tag, manifest.digest].includes(target)) {
        return {
          bytes: manifest.bytes,
          headers: { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest },
        };
      }
    }
  }
  const blobs = here.flatMap(({ image }) =>
    image === undefined ? [] : [{ digest: image.config.digest, blob: image.config.bytes }, ...image.layers],
  );
  const blob = kind === 'blob' ? blobs.find(({ digest }) => digest === target) : undefined;
  return blob === undefined
    ? undefined
    : { bytes: blob.blob, headers: { 'content-type': 'application/octet-stream' } };
}

function answer(
  response: ServerResponse,
  {
    asked,
    lie,
    truth,
  }: { readonly asked: Asked; readonly lie: Lie | undefined; readonly truth: Truth | undefined },
): void {
  if (lie?.do === 'silence') return;
  if (lie?.do === 'status') {
    response.writeHead(lie.status, lie.headers).end(lie.body);
    return;
  }
  if (lie?.do === 'html') {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!DOCTYPE html><html><body>Sign in</body></html>');
    return;
  }
  const what = lie?.do === 'serve' ? { bytes: lie.bytes, headers: lie.headers ?? {} } : truth;
  if (what === undefined) {
    const code = asked.kind === 'manifest' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN';
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace('_', ' ') }] }));
    return;
  }
  const body = lie?.do === 'corrupt' ? Buffer.from(what.bytes.map((byte) => byte ^ 0xff)) : what.bytes;
  const from =
    lie?.do === 'ignoreRange' ? 0 : Number(/^bytes=(\d+)-$/.exec(asked.headers.range ?? '')?.[1] ?? 0);
  const part = body.subarray(from);
  response.writeHead(from > 0 ? 206 : 200, {
    ...what.headers,
    'content-length': part.length,
    ...(from > 0 ? { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
  });
  if (lie?.do !== 'cut' && lie?.do !== 'stall') {
    response.end(part);
    return;
  }
  response.write(part.subarray(0, lie.afterBytes), () => {
    if (lie.do === 'cut') response.destroy();
  });
}

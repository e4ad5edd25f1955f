import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestImage } from '../../workshop/testing/images.ts';

/** A registry that stops in the middle of each layer until it is told to go on: for looking at a pull half-way. */
export type HeldRegistry = AsyncDisposable & {
  readonly host: string;
  readonly port: number;
  /** Sends what is held back, and all that comes after at once. */
  release(): void;
};

/** Serves an image under any name and tag, on loopback; on a free port where none is given. */
export async function holdRegistry(image: TestImage, wantedPort = 0): Promise<HeldRegistry> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const layers = new Map(image.layers.map(({ digest, blob }) => [digest, blob]));
  const server = createServer((request, answer) => {
    const [, kind, reference = ''] = /^\/v2\/.+\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? [];
    const layer = layers.get(reference);
    if (request.url === '/v2/') answer.end('{}');
    else if (kind === 'manifests') sendBlob(answer, image.manifest, request.method);
    else if (reference === image.config.digest) sendBlob(answer, image.config, request.method);
    else if (layer === undefined) answer.writeHead(404).end('{"errors":[]}');
    else {
      answer.writeHead(200, { 'content-length': layer.length });
      answer.write(layer.subarray(0, layer.length / 2));
      released.then(() => answer.end(layer.subarray(layer.length / 2)));
    }
  });
  server.listen(wantedPort, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    port,
    release,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function sendBlob(
  answer: ServerResponse,
  blob: { readonly mediaType: string; readonly bytes: Buffer; readonly digest: string },
  method: string | undefined,
): void {
  answer.writeHead(200, {
    'content-type': blob.mediaType,
    'content-length': blob.bytes.length,
    'docker-content-digest': blob.digest,
  });
  answer.end(method === 'HEAD' ? undefined : blob.bytes);
}

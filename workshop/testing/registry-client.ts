import { digestOf } from './images.ts';

/** A client of the OCI distribution protocol for tests: says what it is told, and gives what came. */
export type RegistryClient = {
  readonly url: string;
  readonly ask: (method: string, path: string, options?: AskOptions) => Promise<Came>;
  /** Pushes a blob in one go and gives its descriptor. */
  readonly pushBlob: (name: string, bytes: Buffer, mediaType?: string) => Promise<Descriptor>;
  /** Pushes a manifest and gives its descriptor. */
  readonly pushManifest: (
    name: string,
    manifest: object,
    options?: { readonly tag?: string },
  ) => Promise<Descriptor>;
};

export type AskOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
};

export type Came = {
  readonly status: number;
  readonly header: (name: string) => string;
  readonly body: Buffer;
  readonly json: () => unknown;
  /** The code of its first error. */
  readonly code: () => string | undefined;
};

export type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number };

/** A client of the registry at `url`, with or without a name and password. */
export function registryClient(
  url: string,
  credentials?: { readonly username: string; readonly password: string },
): RegistryClient {
  const authorization =
    credentials === undefined
      ? {}
      : {
          authorization: `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`,
        };
  const ask: RegistryClient['ask'] = async (method, path, { headers = {}, body } = {}) => {
    const answer = await fetch(new URL(path, url), {
      method,
      headers: { ...authorization, ...headers },
      redirect: 'manual',
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const json = () => JSON.parse(bytes.toString()) as unknown;
    return {
      status: answer.status,
      header: (name) => answer.headers.get(name) ?? '',
      body: bytes,
      json,
      code: () =>
        bytes.length === 0 ? undefined : (json() as { errors?: { code: string }[] }).errors?.[0]?.code,
    };
  };
  const expect = async (status: number, asked: Promise<Came>) => {
    const came = await asked;
    if (came.status !== status) throw new Error(`${came.status} where ${status} was expected: ${came.body}`);
    return came;
  };
  return {
    url,
    ask,
    pushBlob: async (name, bytes, mediaType = 'application/octet-stream') => {
      const begun = await expect(202, ask('POST', `/v2/${name}/blobs/uploads/`));
      const digest = digestOf(bytes);
      await expect(201, ask('PUT', withDigest(begun.header('location'), digest), { body: bytes }));
      return { mediaType, digest, size: bytes.length };
    },
    pushManifest: async (name, manifest, { tag } = {}) => {
      const body = Buffer.from(JSON.stringify(manifest));
      const digest = digestOf(body);
      const { mediaType } = manifest as { mediaType: string };
      const headers = { 'content-type': mediaType };
      await expect(201, ask('PUT', `/v2/${name}/manifests/${tag ?? digest}`, { headers, body }));
      return { mediaType, digest, size: body.length };
    },
  };
}

/** An upload's address with the digest that ends it. */
export function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`;
}

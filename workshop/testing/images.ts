import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { arch } from 'node:os';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { execa } from 'execa';
import { type TarEntry, tarOf } from './tar.ts';

/** Makes small images in memory, and pushes them to a registry over HTTP. */

export type Compression = 'gzip' | 'zstd' | 'none';

export type TestLayer = {
  readonly mediaType: string;
  readonly blob: Buffer;
  /** Digest of the blob, and of the tar within. */
  readonly digest: string;
  readonly diffId: string;
};

export type TestBlob = { readonly mediaType: string; readonly bytes: Buffer; readonly digest: string };

/** What a registry serves for one image: its manifest last, its blobs before. */
export type TestImage = {
  readonly manifest: TestBlob;
  readonly config: TestBlob;
  readonly layers: readonly TestLayer[];
};

export type ImageOptions = {
  readonly layers: readonly TestLayer[];
  /** The part under `config`: Cmd, Env, User, … */
  readonly config?: object;
  readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
  /** Media types of the manifest and its layers; `oci` where it is not given. */
  readonly format?: 'oci' | 'docker';
  readonly created?: string;
};

/** Where to push: a `TestRegistry` fits. */
export type PushTarget = {
  readonly url: string;
  readonly ca?: string | undefined;
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
};

const OCI = 'application/vnd.oci.image';
const DOCKER = 'application/vnd.docker';
const types = {
  oci: {
    manifest: `${OCI}.manifest.v1+json`,
    index: `${OCI}.index.v1+json`,
    config: `${OCI}.config.v1+json`,
  },
  docker: {
    manifest: `${DOCKER}.distribution.manifest.v2+json`,
    index: `${DOCKER}.distribution.manifest.list.v2+json`,
    config: `${DOCKER}.container.image.v1+json`,
  },
};
const layerTypes = {
  oci: { gzip: `${OCI}.layer.v1.tar+gzip`, zstd: `${OCI}.layer.v1.tar+zstd`, none: `${OCI}.layer.v1.tar` },
  docker: {
    gzip: `${DOCKER}.image.rootfs.diff.tar.gzip`,
    zstd: `${DOCKER}.image.rootfs.diff.tar.zstd`,
    none: `${DOCKER}.image.rootfs.diff.tar`,
  },
};

/** Node's name of this machine's processor, as Go and so OCI call it. */
export const hostArchitecture = { x64: 'amd64', ia32: '386' }[arch() as string] ?? arch();

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A layer of these entries, or of the bytes of a tar. */
export function layerOf(
  content: readonly TarEntry[] | Buffer,
  options: { readonly compression?: Compression; readonly format?: 'oci' | 'docker' } = {},
): TestLayer {
  const { compression = 'gzip', format = 'oci' } = options;
  const tar = Buffer.isBuffer(content) ? content : tarOf(content);
  const blob =
    compression === 'gzip'
      ? gzipSync(tar, { level: 1 })
      : compression === 'zstd'
        ? zstdCompressSync(tar)
        : tar;
  return { mediaType: layerTypes[format][compression], blob, digest: digestOf(blob), diffId: digestOf(tar) };
}

function jsonBlob(mediaType: string, value: object): TestBlob {
  const bytes = Buffer.from(JSON.stringify(value));
  return { mediaType, bytes, digest: digestOf(bytes) };
}

function descriptor(blob: TestBlob): { mediaType: string; digest: string; size: number } {
  return { mediaType: blob.mediaType, digest: blob.digest, size: blob.bytes.length };
}

/** Config and manifest around layers. */
export function imageOf(options: ImageOptions): TestImage {
  const { layers, format = 'oci', platform = {}, created = '2024-05-01T10:20:30Z' } = options;
  const config = jsonBlob(types[format].config, {
    created,
    architecture: platform.architecture ?? hostArchitecture,
    os: platform.os ?? 'linux',
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: options.config ?? {},
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created, created_by: 'a test' })),
  });
  const manifest = jsonBlob(types[format].manifest, {
    schemaVersion: 2,
    mediaType: types[format].manifest,
    config: descriptor(config),
    layers: layers.map(({ mediaType, blob, digest }) => ({ mediaType, size: blob.length, digest })),
  });
  return { manifest, config, layers };
}

/** An index (manifest list) of images, each under its platform. */
export function indexOf(
  images: readonly {
    readonly image: TestImage;
    readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  }[],
  format: 'oci' | 'docker' = 'oci',
): TestBlob {
  return jsonBlob(types[format].index, {
    schemaVersion: 2,
    mediaType: types[format].index,
    manifests: images.map(({ image, platform }) => ({ ...descriptor(image.manifest), platform })),
  });
}

/** Makes an image and pushes it under a tag. Gives what was pushed; its manifest's digest is the repo digest. */
export async function pushImage(
  options: ImageOptions & { readonly registry: PushTarget; readonly name: string; readonly tag?: string },
): Promise<TestImage> {
  const image = imageOf(options);
  const { registry, name, tag = 'latest' } = options;
  await push({ registry, name, tag, image });
  return image;
}

/** Pushes blobs and manifest of an image under a tag or, where none is given, under its digest alone. */
export async function push(options: {
  readonly registry: PushTarget;
  readonly name: string;
  readonly tag?: string;
  readonly image: TestImage;
}): Promise<void> {
  const { registry, name, image } = options;
  for (const { blob, digest } of image.layers) await pushBlob(registry, name, digest, blob);
  await pushBlob(registry, name, image.config.digest, image.config.bytes);
  await pushManifest({ registry, name, tag: options.tag ?? image.manifest.digest, manifest: image.manifest });
}

/** Puts a manifest or an index under a tag or digest. */
export async function pushManifest(options: {
  readonly registry: PushTarget;
  readonly name: string;
  readonly tag: string;
  readonly manifest: TestBlob;
}): Promise<void> {
  const { registry, name, tag, manifest } = options;
  await send(registry, {
    method: 'PUT',
    path: `/v2/${name}/manifests/${tag}`,
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
    expected: 201,
  });
}

async function pushBlob(registry: PushTarget, name: string, digest: string, bytes: Buffer): Promise<void> {
  const path = `/v2/${name}/blobs/uploads/`;
  const { location = '' } = await send(registry, { method: 'POST', path, expected: 202 });
  const upload = new URL(location, registry.url);
  upload.searchParams.set('digest', digest);
  await send(registry, {
    method: 'PUT',
    path: `${upload.pathname}${upload.search}`,
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
    expected: 201,
  });
}

async function send(
  registry: PushTarget,
  message: {
    readonly method: string;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: Buffer;
    readonly expected: number;
  },
): Promise<{ readonly location?: string | undefined }> {
  const { method, path, body = Buffer.alloc(0), expected } = message;
  const { ca, credentials } = registry;
  const start = registry.url.startsWith('https:') ? httpsRequest : httpRequest;
  return await new Promise((resolve, reject) => {
    const outgoing = start(new URL(path, registry.url), {
      method,
      headers: { 'content-length': body.length, ...message.headers },
      ...(ca === undefined ? {} : { ca }),
      ...(credentials === undefined ? {} : { auth: `${credentials.username}:${credentials.password}` }),
    });
    outgoing.once('error', reject);
    outgoing.once('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        if (answer.statusCode === expected) return resolve({ location: answer.headers.location });
        reject(new Error(`${method} ${path}: ${answer.statusCode} ${Buffer.concat(chunks)}`));
      });
    });
    outgoing.end(body);
  });
}

let busybox: Promise<ImageOptions> | undefined;

/**
 * A small image that is whole: Debian's static busybox with its applets, users, /tmp. Give it to `pushImage`:
 * `await pushImage({ registry, name: 'busybox', ...(await busyboxImage()) })`. Made once a process.
 */
export function busyboxImage(): Promise<ImageOptions> {
  busybox ??= makeBusybox();
  return busybox;
}

async function makeBusybox(): Promise<ImageOptions> {
  const program = await readFile('/bin/busybox');
  const { stdout } = await execa('/bin/busybox', ['--list']);
  const applets = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  const directories = [
    'bin',
    'dev',
    'etc',
    'home',
    'proc',
    'root',
    'sys',
    'usr',
    'usr/bin',
    'var',
    'var/tmp',
  ];
  const layer = layerOf([
    ...directories.map((name) => ({ name: `${name}/`, type: 'directory' as const })),
    { name: 'tmp/', type: 'directory', mode: 0o1777 },
    { name: 'bin/busybox', mode: 0o755, content: program },
    ...applets.map((name) => ({ name: `bin/${name}`, type: 'symlink' as const, target: 'busybox' })),
    { name: 'usr/bin/env', type: 'symlink', target: '../../bin/busybox' },
    {
      name: 'etc/passwd',
      content: [
        'root:x:0:0:root:/root:/bin/sh',
        'daemon:x:1:1:daemon:/usr/sbin:/bin/false',
        'sailor:x:1000:1000:a sailor:/home:/bin/sh',
        'nobody:x:65534:65534:nobody:/home:/bin/false',
        '',
      ].join('\n'),
    },
    {
      name: 'etc/group',
      content: 'root:x:0:\ndaemon:x:1:\nwheel:x:10:root,sailor\nsailor:x:1000:\nnogroup:x:65534:\n',
    },
  ]);
  return {
    layers: [layer],
    config: { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
  };
}

import { createHash } from 'node:crypto';
import { type Digest, isDigest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { Credentials } from './auth.ts';
import { streamBlob } from './blob.ts';
import { readBody } from './body.ts';
import { type Answer, mayPass } from './http.ts';
import { ACCEPT_MANIFESTS, type Descriptor, type Manifest, parseManifest } from './manifest.ts';
import { backOff } from './retry.ts';
import { openSession, type Session } from './session.ts';
import { endpointsOf, type RegistryLimits, type RegistrySettings } from './settings.ts';
import { findBlob, type Uploaded, type UploadOptions, uploadBlob } from './upload.ts';

/** A repository in a registry: what a pull reads from, and a push writes to. */
export type Repository = {
  /**
   * A manifest or index by tag or digest, checked against the digest. Throws `notFound`, `unauthorized`,
   * `unavailable`, `invalid`, `unsupported`.
   */
  readonly fetchManifest: (target: string, signal: AbortSignal) => Promise<FetchedManifest>;
  /** The bytes of a blob; see `streamBlob`. */
  readonly streamBlob: (descriptor: Descriptor, signal: AbortSignal) => AsyncIterable<Buffer>;
  /** Sees to it that a blob is there; see `uploadBlob`. */
  readonly uploadBlob: (options: Upload) => Promise<Uploaded>;
  /** Whether a blob is there, or can be shared with another repository; see `findBlob`. */
  readonly findBlob: (
    options: Omit<Upload, 'blob'> & { readonly blob: { readonly digest: Digest } },
  ) => Promise<Uploaded | undefined>;
  /** Names a manifest whose blobs are all there. Throws `invalid` where the registry makes another one of it. */
  readonly putManifest: (options: {
    readonly tag: string;
    readonly bytes: Buffer;
    readonly digest: Digest;
    readonly mediaType: string;
    readonly signal: AbortSignal;
  }) => Promise<void>;
};

type Upload = Omit<UploadOptions, 'session' | 'limits'>;

export type FetchedManifest = {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly manifest: Manifest;
};

/** The spec lets a registry refuse manifests over 4 MiB (distribution spec, "Pushing Manifests"). */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Opens a repository. `name` is how people call it, for messages. Nothing is sent before something is asked for. */
export function openRepository(options: {
  readonly domain: string;
  readonly path: string;
  readonly name: string;
  readonly settings: RegistrySettings;
  readonly limits: RegistryLimits;
  readonly credentials?: Credentials | undefined;
  /** Whether it is written to: mirrors are then left out. */
  readonly push?: boolean;
}): Repository {
  const { domain, path, name, settings, limits, credentials, push = false } = options;
  const actions = push ? 'pull,push' : 'pull';
  let sessions = endpointsOf(domain, settings)
    .filter(({ mirror }) => !push || !mirror)
    .map((endpoint) => openSession({ endpoint, repository: path, credentials, limits, actions }));
  const registry = () => {
    const own = sessions.find(({ endpoint }) => !endpoint.mirror);
    if (own === undefined) throw new BerthError('internal', `${name} has no registry`);
    return own;
  };

  return {
    fetchManifest: async (target, signal) => {
      const what = `${name}${target.includes(':') ? '@' : ':'}${target}`;
      return await firstThatCan(sessions, async (session) => {
        const fetched = await fetchManifest({ session, target, what, limits, signal });
        // What answered for the manifest is asked for the rest first.
        sessions = [session, ...sessions.filter((other) => other !== session)];
        return fetched;
      });
    },
    uploadBlob: async (upload) => await uploadBlob({ ...upload, session: registry(), limits }),
    findBlob: async (upload) => await findBlob({ ...upload, session: registry(), limits }),
    putManifest: async ({ tag, bytes, digest, mediaType, signal }) => {
      const what = `${name}:${tag}`;
      const answer = await registry().send({
        method: 'PUT',
        path: `manifests/${tag}`,
        headers: { 'content-type': mediaType },
        body: { bytes },
        expected: [200, 201, 202, 204],
        what,
        signal,
      });
      answer.discard();
      const taken = answer.header('docker-content-digest');
      if (taken === undefined || taken === digest) return;
      throw new BerthError(
        'invalid',
        `the registry took another manifest of ${what} than was sent: ${digest} was sent, ${taken.slice(0, 100)} taken`,
      );
    },
    streamBlob: async function* (descriptor, signal) {
      const what = `${descriptor.digest.slice(0, 19)} of ${name}`;
      // What one of them has sent already, the next one need not send again: the digest is checked over all.
      let from = 0;
      for (const session of sessions) {
        try {
          for await (const piece of streamBlob({ session, descriptor, from, what, limits, signal })) {
            from += piece.length;
            yield piece;
          }
          return;
        } catch (error) {
          if (!mayAskNext(session, error)) throw error;
        }
      }
    },
  };
}

function mayAskNext(session: Session, error: unknown): boolean {
  return session.endpoint.mirror && error instanceof BerthError && error.code !== 'cancelled';
}

/** Runs `ask` with one session after the other until one can. A mirror's failure is not told; the last one's is. */
async function firstThatCan<T>(
  sessions: readonly Session[],
  ask: (session: Session) => Promise<T>,
): Promise<T> {
  for (const session of sessions) {
    try {
      return await ask(session);
    } catch (error) {
      if (!mayAskNext(session, error)) throw error;
    }
  }
  throw new BerthError('unavailable', 'no mirror has it');
}

async function fetchManifest(options: {
  readonly session: Session;
  readonly target: string;
  readonly what: string;
  readonly limits: RegistryLimits;
  readonly signal: AbortSignal;
}): Promise<FetchedManifest> {
  const { target, what } = options;
  const { answer, bytes } = await readManifest(options);
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const promised = isDigest(target) ? target : answer.header('docker-content-digest');
  // Parsed first: of an HTML page that is more to the point than that its digest is wrong.
  const manifest = parseManifest(bytes, answer.header('content-type'), what);
  if (promised !== undefined && promised !== digest) {
    throw new BerthError(
      'invalid',
      `the manifest of ${what} is not what its digest says: ${promised} was promised, ${digest} came`,
      {
        hint: 'the registry, or something before it, serves other content than was pushed',
      },
    );
  }
  return { bytes, digest, manifest };
}

/** Asks for a manifest, anew where the connection breaks in the middle of it. */
async function readManifest(
  options: Parameters<typeof fetchManifest>[0],
): Promise<{ readonly answer: Answer; readonly bytes: Buffer }> {
  const { session, target, what, limits, signal } = options;
  const headers = { accept: ACCEPT_MANIFESTS };
  for (let failures = 0; ; failures += 1) {
    const answer = await session.send({
      path: `manifests/${target}`,
      headers,
      expected: [200],
      what,
      signal,
    });
    try {
      const bytes = await readBody(answer, {
        maxBytes: MAX_MANIFEST_BYTES,
        what: `the registry for ${what}`,
      });
      return { answer, bytes };
    } catch (error) {
      if (!mayPass(error) || failures >= limits.retries) throw error;
      await backOff(failures, { limits, signal });
    }
  }
}

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Digest } from '../../api/digest.ts';
import { isErrno } from '../../api/errors.ts';
import type { ContentStore } from '../../content/store.ts';
import type { LayerStore } from '../../layers/types.ts';
import { collect, type Pins } from '../collect.ts';
import { diskError } from '../disk.ts';
import { tagText } from '../find.ts';
import type { ImageRows } from '../rows.ts';
import type { ImageEvent } from '../types.ts';
import { collectHosted, removeUnused } from './collect.ts';
import { mediaTypeOf, readDocument, referrerOf } from './document.ts';
import { Refusal } from './error.ts';
import { realise } from './realise.ts';
import type { HostedImages, Kept, Manifest, PushedManifest } from './types.ts';

export type HostedContext = {
  readonly root: string;
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly layers: LayerStore;
  readonly pins: Pins;
  /** The manifest of an image, with all its blobs in the store; undefined where they are not. */
  readonly manifestOf: (image: Digest, signal: AbortSignal) => Promise<Digest | undefined>;
  /** Removes a name as `berth rmi --force` does. */
  readonly removeName: (name: string) => Promise<void>;
  readonly onEvent: (event: ImageEvent) => void;
};

/** Each is read from the disk, while everything else waits. */
const REFERRERS_AT_ONCE = 200;

/** The registry's view of an engine's images. */
export function hostedImages(context: HostedContext): HostedImages {
  const { root, rows, content, pins } = context;
  const { hosted } = rows;

  const byDigest = (repository: string, digest: Digest): Manifest | undefined => {
    const pushed = hosted.manifest(repository, digest);
    if (pushed === undefined && hosted.imageWithManifest(repository, digest) === undefined) return undefined;
    const bytes = content.read(digest);
    return { digest, mediaType: pushed?.mediaType ?? mediaTypeOf(bytes), bytes };
  };

  /** What a tag stands for: the engine's own name says, where there is one. */
  const resolve = async (repository: string, tag: string, signal: AbortSignal) => {
    const pushed = hosted.tagged(repository, tag);
    const name = rows.named(repository, tag);
    if (name === undefined || pushed?.imageId === name.imageId) return pushed?.digest;
    return await context.manifestOf(name.imageId, signal);
  };

  /** The digests that tags of images resolve to are known without making one. */
  const tagsOf = (repository: string, digest: Digest) =>
    hosted.tags(repository).filter((tag) => {
      const pushed = hosted.tagged(repository, tag);
      const name = rows.named(repository, tag);
      if (name === undefined || pushed?.imageId === name.imageId) return pushed?.digest === digest;
      return rows.image(name.imageId)?.manifestDigest === digest;
    });

  const removeTag = async (repository: string, tag: string): Promise<boolean> => {
    const name = rows.named(repository, tag);
    if (name !== undefined) await context.removeName(`${repository}:${tag}`);
    return hosted.removeTag(repository, tag) || name !== undefined;
  };

  return {
    repositories: hosted.repositories,
    isKnown: hosted.isKnown,
    tags: hosted.tags,

    manifest: async (repository, reference, signal) => {
      if ('digest' in reference) return byDigest(repository, reference.digest);
      const digest = await resolve(repository, reference.tag, signal);
      return digest === undefined ? undefined : byDigest(repository, digest);
    },

    openBlob: async (repository, digest) => {
      if (!hosted.hasBlob(repository, digest)) return undefined;
      try {
        return await open(content.pathOf(digest), 'r');
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error;
        return undefined;
      }
    },

    receive: (source) =>
      content.take(source).catch((error: unknown) => {
        throw diskError(error, { doing: 'receiving a blob', root });
      }),

    keepBlob: async (repository, received) => {
      using _ = pins.keep([received.digest]);
      await content.keep(received).catch((error: unknown) => {
        throw diskError(error, { doing: 'keeping a blob', root });
      });
      hosted.link(repository, received.digest, Date.now());
    },

    mountBlob: async (repository, digest, from) => {
      using _ = pins.keep([digest]);
      if (!hosted.hasBlob(from, digest) || !(await content.has(digest))) return false;
      hosted.link(repository, digest, Date.now());
      return true;
    },

    putManifest: async (repository, pushed) => {
      try {
        return await putManifest(context, { ...pushed, repository, byDigest });
      } catch (error) {
        throw diskError(error, { doing: 'keeping a manifest', root });
      }
    },

    removeTag: async (repository, tag) => {
      if (!(await removeTag(repository, tag)))
        throw new Refusal('MANIFEST_UNKNOWN', `there is no tag ${tag}`);
      collectHosted(context);
    },

    removeManifest: async (repository, digest) => {
      if (byDigest(repository, digest) === undefined)
        throw new Refusal('MANIFEST_UNKNOWN', `there is no manifest ${digest}`);
      for (const tag of tagsOf(repository, digest)) await removeTag(repository, tag);
      if (rows.digested(repository, digest) !== undefined)
        await context.removeName(`${repository}@${digest}`);
      const named = hosted.references(repository, digest);
      hosted.removeManifest(repository, digest);
      removeUnused(context, [digest, ...named]);
      collectHosted(context);
    },

    removeBlob: (repository, digest) => {
      if (hosted.isReferred(repository, digest))
        throw new Refusal('UNSUPPORTED', `a manifest names ${digest}: remove that first`);
      if (!hosted.unlink(repository, digest)) {
        if (!hosted.hasBlob(repository, digest))
          throw new Refusal('BLOB_UNKNOWN', `there is no blob ${digest}`);
        throw new Refusal('UNSUPPORTED', `${digest} belongs to an image: remove that`);
      }
      removeUnused(context, [digest]);
    },

    referrers: (repository, subject, last) => {
      const all = hosted.referrers(repository, subject);
      const start = last === undefined ? 0 : all.findIndex(({ digest }) => digest === last) + 1;
      const page = all.slice(start, start + REFERRERS_AT_ONCE);
      const items = page.map(({ digest, mediaType }) =>
        referrerOf(content.read(digest), { digest, mediaType }),
      );
      return { items, next: start + page.length < all.length ? page.at(-1)?.digest : undefined };
    },

    collect: (nowMs) => collectHosted(context, nowMs),
  };
}

async function putManifest(
  context: HostedContext,
  pushed: PushedManifest & {
    readonly repository: string;
    readonly byDigest: (repository: string, digest: Digest) => Manifest | undefined;
  },
): Promise<Kept> {
  const { rows, content, pins, onEvent } = context;
  const { hosted } = rows;
  const { repository, reference, bytes, signal, byDigest } = pushed;
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if ('digest' in reference && reference.digest !== digest)
    throw new Refusal('DIGEST_INVALID', `the manifest's digest is ${digest}, not ${reference.digest}`);
  const { mediaType, blobs, manifests, subject } = readDocument(bytes, pushed.contentType);
  const tag = 'tag' in reference ? reference.tag : undefined;
  const pinned = new DisposableStack();
  pinned.use(pins.keep([digest, ...blobs, ...manifests]));
  try {
    for (const blob of blobs) {
      if (!hosted.hasBlob(repository, blob) || !(await content.has(blob)))
        throw new Refusal('MANIFEST_BLOB_UNKNOWN', `the manifest names ${blob}, which was not pushed`);
    }
    for (const child of manifests) {
      if (byDigest(repository, child) === undefined)
        throw new Refusal('MANIFEST_BLOB_UNKNOWN', `the index names ${child}, which was not pushed`);
    }
    await content.put(bytes);
    const image =
      tag === undefined
        ? undefined
        : await realise(context, {
            digest,
            bytes,
            mediaType,
            manifest: (child) => byDigest(repository, child)?.bytes,
            blob: (blob) => (hosted.hasBlob(repository, blob) ? content.pathOf(blob) : undefined),
            pin: (diffIds) => void pinned.use(pins.keep(diffIds)),
            signal,
          });
    const before = tag === undefined ? undefined : rows.named(repository, tag)?.imageId;
    if (image !== undefined && tag !== undefined)
      rows.addImage({ ...image, name: { repository, tag }, digest: { repository, digest } });
    const [imageId, references] = [image?.id, [...blobs, ...manifests]];
    hosted.addManifest({ repository, digest, mediaType, subject, imageId, tag, references });
    if (tag !== undefined && imageId !== undefined && imageId !== before)
      onEvent({ action: 'tag', id: imageId, name: tagText({ repository, tag }) });
    return { digest, subject };
  } finally {
    pinned.dispose();
    // What no row names: all that was begun, after a failure.
    await collect(context, [digest]);
  }
}

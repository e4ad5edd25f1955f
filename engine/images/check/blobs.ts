import { rm } from 'node:fs/promises';
import { type Digest, shortDigest } from '../../api/digest.ts';
import { BerthError, isErrno } from '../../api/errors.ts';
import type { ContentStore } from '../../content/store.ts';
import type { Fault, Look } from '../../state/faults.ts';
import { tagText } from '../find.ts';
import type { ImageRow, ImageRows } from '../rows.ts';
import type { CheckContext } from './context.ts';
import type { Fetcher } from './fetch.ts';

/** Looks at each blob that a row names: that it is there, and what its digest says. */
export function blobLooks(context: CheckContext, fetcher: Fetcher, signal: AbortSignal): readonly Look[] {
  const { rows, content } = context;
  const looks = new Map<Digest, Look>();
  const add = (digest: Digest, fault: Pick<Fault, 'what' | 'repair' | 'mend'>) => {
    if (looks.has(digest)) return;
    looks.set(digest, async () => {
      const problem = await blobProblem(content, digest, signal);
      // It may have gone while others were looked at.
      if (problem === undefined || !rows.isBlobUsed(digest)) return undefined;
      return { kind: 'blob', where: content.pathOf(digest), problem, ...fault };
    });
  };

  for (const image of [...rows.images(), ...rows.removedImages()]) {
    const name = nameOf(rows, image);
    // Manifests first: they say how long the others are.
    if (image.manifestDigest !== image.id)
      add(image.manifestDigest, {
        what: `the manifest of ${name}`,
        repair: 'fetch it again; else the image gets one of its own',
        mend: async () => await mendManifest(context, fetcher, image),
      });
    add(image.id, {
      what: `the config of ${name}`,
      repair: `fetch it again; else: berth rmi -f ${shortDigest(image.id)}`,
      mend: async () => await fetcher.config(image),
    });
  }
  for (const blob of rows.blobs.all()) {
    add(blob.digest, {
      what: `a blob of layer ${shortDigest(blob.diffId)}`,
      repair: 'fetch it again; else forget it: the layer itself is another thing',
      mend: async () => {
        try {
          await fetcher.blob(blob, rows.blobs.sources(blob.digest), 'the blob');
        } catch (error) {
          if (signal.aborted) throw error;
          rows.blobs.remove(blob.digest);
          forgetHosted(context, blob.digest);
        }
      },
    });
  }
  for (const digest of rows.hosted.digests()) {
    const [place = ''] = rows.hosted.placesOf(digest);
    add(digest, {
      what: `${shortDigest(digest)} that was pushed to ${place}`,
      repair: 'forget it: pushing it again brings it back',
      mend: async () => forgetHosted(context, digest),
    });
  }
  return [...looks.values()];
}

async function mendManifest(
  { rows, content }: CheckContext,
  fetcher: Fetcher,
  image: ImageRow,
): Promise<void> {
  try {
    await fetcher.manifest(image);
  } catch {
    rows.setManifest(image.id, image.id);
    for (const place of rows.hosted.placesOf(image.manifestDigest))
      rows.hosted.removeManifest(place, image.manifestDigest);
    if (!rows.isBlobUsed(image.manifestDigest)) content.remove(image.manifestDigest);
  }
}

/** Nothing is pushed twice that a registry says it has: what it has no more it must not name. */
function forgetHosted({ rows, content }: CheckContext, digest: Digest): void {
  for (const place of rows.hosted.placesOf(digest)) {
    rows.hosted.unlink(place, digest);
    rows.hosted.removeManifest(place, digest);
  }
  if (!rows.isBlobUsed(digest)) content.remove(digest);
}

async function blobProblem(content: ContentStore, digest: Digest, signal: AbortSignal) {
  try {
    for await (const _piece of content.stream(digest)) signal.throwIfAborted();
    return undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 'it is not there';
    if (isErrno(error, 'EIO')) return 'the disk does not give it back';
    if (!(error instanceof BerthError)) throw error;
    return 'its bytes are not those that its digest says';
  }
}

/** Looks at the files that no row names. */
export async function strayBlobLooks(context: CheckContext): Promise<readonly Look[]> {
  const { rows, content, pins, settledMs } = context;
  const files = await content.list();
  return files.map(({ name, path, changedMs }) => async () => {
    const digest = `sha256:${name}`;
    if (rows.isBlobUsed(digest) || pins.has(digest) || Date.now() - changedMs < settledMs) return undefined;
    return {
      kind: 'blob',
      what: digest,
      where: path,
      problem: 'nothing names it',
      repair: 'remove it',
      mend: async () => await rm(path, { recursive: true, force: true }),
    };
  });
}

/** An image by its first name, else its id. */
export function nameOf(rows: ImageRows, { id }: Pick<ImageRow, 'id'>): string {
  const [name] = rows.namesOf(id);
  return name === undefined ? shortDigest(id) : tagText(name);
}

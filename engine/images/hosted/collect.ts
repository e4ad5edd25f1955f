import type { Digest } from '../../api/digest.ts';
import type { ContentStore } from '../../content/store.ts';
import type { Pins } from '../collect.ts';
import type { ImageRows } from '../rows.ts';
import type { HostedManifest } from './rows.ts';

/** How long a blob may wait for the manifest that names it. */
const GRACE_MS = 24 * 60 * 60_000;

type Store = { readonly rows: ImageRows; readonly content: ContentStore; readonly pins: Pins };

/**
 * Lets go of what the registry need not keep: tags and manifests of images that have lost their names, with what only
 * they named, and blobs that waited a day for a manifest. Rows go before files.
 */
export function collectHosted(store: Store, nowMs = Date.now()): void {
  const { hosted } = store.rows;
  hosted.removeStaleTags();
  for (const manifest of hosted.orphans()) dropManifest(store, manifest);
  for (const { repository, digest } of hosted.unnamed(nowMs - GRACE_MS)) {
    if (store.pins.has(digest)) continue;
    hosted.unlink(repository, digest);
    removeUnused(store, [digest]);
  }
}

/** Removes a manifest with what is there only for it: blobs, the manifests of an index, signatures and the like. */
function dropManifest(store: Store, manifest: HostedManifest): void {
  const { hosted } = store.rows;
  const doomed = [manifest];
  for (const { repository, digest } of doomed) {
    const named = hosted.references(repository, digest);
    if (!hosted.removeManifest(repository, digest)) continue;
    for (const other of named) {
      if (hosted.isReferred(repository, other)) continue;
      if (!store.pins.has(other)) hosted.unlink(repository, other);
      const child = hosted.manifest(repository, other);
      if (child !== undefined && isLoose(store, child)) doomed.push(child);
    }
    for (const referrer of hosted.referrers(repository, digest)) {
      if (isLoose(store, referrer) && !hosted.isReferred(repository, referrer.digest)) doomed.push(referrer);
    }
    removeUnused(store, [digest, ...named]);
  }
}

/** Whether nothing but another manifest leads to one. */
function isLoose({ rows }: Store, { repository, digest }: HostedManifest): boolean {
  return (
    rows.hosted.tagsWith(repository, digest).length === 0 && rows.digested(repository, digest) === undefined
  );
}

/** Removes the files of those that no row names any more. */
export function removeUnused({ rows, content, pins }: Store, digests: readonly Digest[]): void {
  for (const digest of digests) if (!rows.isBlobUsed(digest) && !pins.has(digest)) content.remove(digest);
}

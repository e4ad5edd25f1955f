import type { Digest } from '../api/digest.ts';
import type { ContentStore } from '../content/store.ts';
import type { LayerStore } from '../layers/types.ts';
import type { ImageRows } from './rows.ts';

/** What pulls under way rely on: it is kept though no image names it yet. */
export type Pins = {
  /** Keeps digests (of blobs, and diffIDs of layers) until it is disposed of. */
  readonly keep: (digests: readonly string[]) => Disposable;
  readonly has: (digest: string) => boolean;
};

export function createPins(): Pins {
  const counts = new Map<string, number>();
  return {
    has: (digest) => counts.has(digest),
    keep: (digests) => {
      for (const digest of digests) counts.set(digest, (counts.get(digest) ?? 0) + 1);
      return {
        [Symbol.dispose]: () => {
          for (const digest of digests) {
            const left = (counts.get(digest) ?? 0) - 1;
            if (left > 0) counts.set(digest, left);
            else counts.delete(digest);
          }
        },
      };
    },
  };
}

/**
 * Removes the layers that no image has and no pull waits for, with the blobs that are kept of them, and of the blobs
 * given those that nobody needs. The row goes first: a row never names what is not there. Gives the diffIDs of the
 * layers removed.
 */
export async function collect(
  store: {
    readonly rows: ImageRows;
    readonly content: ContentStore;
    readonly layers: LayerStore;
    readonly pins: Pins;
  },
  blobs: readonly Digest[],
): Promise<readonly string[]> {
  const { rows, content, layers, pins } = store;
  const gone: Promise<void>[] = [];
  const discard = (digest: Digest) => {
    const discarded = content.discard(digest);
    // Looked at below, where it comes to that.
    discarded.catch(() => undefined);
    gone.push(discarded);
  };
  for (const digest of blobs) {
    // At once, and not later: a pull that begins in between would rely on it.
    if (!rows.isBlobUsed(digest) && !pins.has(digest)) discard(digest);
  }
  const unused = rows.unusedLayers().filter(({ diffId }) => !pins.has(diffId));
  for (const { id } of unused) {
    const kept = rows.blobs.of(id);
    rows.removeLayer(id);
    for (const { digest } of kept) if (!rows.isBlobUsed(digest)) discard(digest);
  }
  await Promise.all([...gone, ...unused.map(({ id }) => layers.remove(id))]);
  return unused.map(({ diffId }) => diffId);
}

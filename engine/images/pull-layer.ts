import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { ContentStore } from '../content/store.ts';
import type { LayerStore } from '../layers/types.ts';
import type { Descriptor } from '../registry/manifest.ts';
import type { Repository } from '../registry/repository.ts';
import { type LayerStep, throttled } from './progress.ts';
import type { ImageRows } from './rows.ts';
import { createSharing } from './sharing.ts';

/** Gets one layer into the store. When it returns there is a row for it. Throws as `ImageStore.pull` does. */
export type LayerPuller = (options: {
  readonly repository: Repository;
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** The repository that has it: `docker.io/library/ubuntu`. */
  readonly source: string;
  /** For messages. */
  readonly what: string;
  readonly signal: AbortSignal;
  readonly onStep: (step: LayerStep) => void;
}) => Promise<void>;

/** A layer that several pulls wait for is fetched once; how many are fetched at a time, the store of layers says. */
export function createLayerPuller(store: {
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly layers: LayerStore;
}): LayerPuller {
  const { rows, content, layers } = store;
  const sharing = createSharing<LayerStep>();
  return async (options) => {
    const { repository, descriptor, diffId, source, what, onStep } = options;
    await sharing.join(diffId, {
      signal: options.signal,
      onEvent: onStep,
      isDone: () => rows.layer(diffId) !== undefined,
      work: async (signal, emitAll) => {
        const emit = throttled(emitAll);
        const { sizeBytes: total } = descriptor;
        await using blob = content.reserve(descriptor);
        const open = (wanted: AbortSignal) => repository.streamBlob(descriptor, wanted);
        const onProgress = (current: number) => emit({ status: 'Downloading', current, total });
        let isKept = false;
        const keep = async () => {
          await content.keep(blob);
          isKept = true;
        };
        // Another pull's own, where it was not kept here.
        const giveUp = () => {
          if (isKept && !rows.isBlobUsed(blob.digest)) content.remove(blob.digest);
        };
        const layer = await layers
          .apply({ blob: { ...blob, open, what }, diffId, signal, keep, onProgress })
          .catch((error: unknown) => {
            giveUp();
            throw named(error, what);
          });
        // It was checked and made into a layer while it came.
        emit({ status: 'Verifying Checksum' });
        emit({ status: 'Download complete' });
        emit({ status: 'Extracting', current: total, total });
        try {
          rows.addLayer(layer, diffId, { ...descriptor, source });
        } catch (error) {
          giveUp();
          await layers.remove(layer.id);
          throw error;
        }
        emit({ status: 'Pull complete' });
      },
    });
  };
}

/** Says which layer a refusal is about. */
function named(error: unknown, what: string): unknown {
  if (!(error instanceof BerthError) || error.code === 'cancelled') return error;
  return new BerthError(error.code, `${what}: ${error.message}`, { hint: error.hint, cause: error });
}

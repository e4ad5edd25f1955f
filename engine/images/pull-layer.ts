import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { ContentStore } from '../content/store.ts';
import { createSlots } from '../layers/slots.ts';
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

/** As many as dockerd fetches at a time (max-concurrent-downloads). */
const MAX_DOWNLOADS = 3;

/** Downloads at the same time are limited over all pulls, and a layer that several wait for is fetched once. */
export function createLayerPuller(store: {
  readonly rows: ImageRows;
  readonly content: ContentStore;
  readonly layers: LayerStore;
}): LayerPuller {
  const { rows, content, layers } = store;
  const sharing = createSharing<LayerStep>();
  const downloads = createSlots(MAX_DOWNLOADS);

  const download = async (options: Parameters<LayerPuller>[0], emit: (step: LayerStep) => void) => {
    const { repository, descriptor, what, signal } = options;
    const { digest, sizeBytes } = descriptor;
    using _ = await downloads.take(signal);
    const onBytes = (current: number) => emit({ status: 'Downloading', current, total: sizeBytes });
    const blob = await content.receive(
      { digest, sizeBytes, what, onBytes },
      repository.streamBlob(descriptor, signal),
    );
    emit({ status: 'Verifying Checksum' });
    emit({ status: 'Download complete' });
    return blob;
  };

  return async (options) => {
    const { descriptor, diffId, source, what, onStep } = options;
    await sharing.join(diffId, {
      signal: options.signal,
      onEvent: onStep,
      isDone: () => rows.layer(diffId) !== undefined,
      work: async (signal, emitAll) => {
        const emit = throttled(emitAll);
        await using blob = await download({ ...options, signal }, emit);
        const onProgress = (current: number) =>
          emit({ status: 'Extracting', current, total: descriptor.sizeBytes });
        onProgress(0);
        const layer = await layers
          .apply({ blob: blob.path, diffId, signal, onProgress })
          .catch((error: unknown) => {
            throw named(error, what);
          });
        try {
          await content.keep(blob);
          rows.addLayer(layer, diffId, { ...descriptor, source });
        } catch (error) {
          if (!rows.isBlobUsed(blob.digest)) content.remove(blob.digest);
          await layers.remove(layer.id);
          throw error;
        }
        emit({ status: 'Extracting', current: descriptor.sizeBytes, total: descriptor.sizeBytes });
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

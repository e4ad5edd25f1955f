import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../api/digest.ts';
import { BerthError } from '../api/errors.ts';
import type { ImageDeleted } from '../api/wire.ts';
import { openContentStore } from '../content/store.ts';
import { chooseLayerKind } from '../layers/probe.ts';
import { openLayers } from '../layers/store.ts';
import { defaultLayerLimits, type LayerKind, type LayerLimits } from '../layers/types.ts';
import { defaultRegistryLimits, type RegistryLimits, type RegistrySettings } from '../registry/settings.ts';
import type { Database } from '../state/database.ts';
import { SETTLED_MS } from '../state/faults.ts';
import { loadImages } from './archive/load.ts';
import { saveImages } from './archive/save.ts';
import { chainIds } from './chain.ts';
import { imageLooks } from './check/check.ts';
import { collect, createPins } from './collect.ts';
import { createCompressor } from './compress.ts';
import { type ImageConfig, parseImageConfig } from './config.ts';
import { findImage, tagText } from './find.ts';
import { historyOf } from './history.ts';
import { collectHosted } from './hosted/collect.ts';
import { manifestOf } from './hosted/manifest.ts';
import { hostedImages } from './hosted/store.ts';
import { makeImage, readTarget } from './make.ts';
import { requirePlatform, wantedPlatform } from './platform.ts';
import { imagesToPrune } from './prune.ts';
import { type PullContext, pullImage } from './pull.ts';
import { createLayerPuller } from './pull-layer.ts';
import { pushImage } from './push.ts';
import { removeImage } from './remove.ts';
import { type ImageRow, openImageRows } from './rows.ts';
import type { ImageEvent, ImageStore, ImageUser } from './types.ts';
import { imagesInUse, inspectImage, listImages } from './views.ts';

/**
 * Opens the images of an engine: manifests and configs in `<root>/content`, layers in `<root>/layers`, all else in
 * the database. `recover` is to be called before anything is pulled.
 */
export function openImageStore(options: {
  readonly root: string;
  readonly database: Database;
  readonly settings: RegistrySettings;
  readonly usersOf: (imageId: string) => readonly ImageUser[];
  readonly onEvent: (event: ImageEvent) => void;
  /** Told how many bytes a prune brought. */
  readonly onPrune?: (bytes: number) => void;
  readonly registryLimits?: RegistryLimits;
  readonly layerLimits?: LayerLimits;
  /** How layers are kept; the best way that this machine has where it is not said. */
  readonly layerKind?: LayerKind | 'auto';
  /** How old what no row names has to be for a check to speak of it. */
  readonly settledMs?: number;
}): ImageStore {
  const { root, database, settings, usersOf, onEvent, onPrune = () => undefined } = options;
  const rows = openImageRows(database);
  const content = openContentStore(join(root, 'content'));
  const layerRoot = join(root, 'layers');
  const layerLimits = options.layerLimits ?? defaultLayerLimits;
  const layers = openLayers(layerRoot, {
    kind: chooseLayerKind(layerRoot, options.layerKind ?? 'auto'),
    limits: layerLimits,
  });
  const pins = createPins();
  const limits = options.registryLimits ?? defaultRegistryLimits;
  const pullLayer = createLayerPuller({ rows, content, layers });
  const compress = createCompressor({ root, rows, content, layers });
  const context: PullContext = { root, rows, content, layers, pins, settings, limits, pullLayer, onEvent };
  // overlay wants at least one lower directory, and an image may have no layers.
  const empty = join(root, 'empty-layer');
  mkdirSync(empty, { recursive: true, mode: 0o755 });

  const configs = new Map<Digest, ImageConfig>();
  const configOf = (id: Digest): ImageConfig => {
    const found = configs.get(id) ?? parseImageConfig(content.read(id), id);
    configs.set(id, found);
    return found;
  };
  /** Drops images that were removed while a container still needed them, and whose last one is gone. */
  const dropRemoved = (): readonly ImageRow[] => {
    const unused = rows.removedImages().filter(({ id }) => usersOf(id).length === 0);
    for (const { id } of unused) rows.removeImage(id);
    return unused;
  };
  const collectAfter = async (removed: readonly ImageRow[]) => {
    for (const { id } of removed) configs.delete(id);
    return await collect(
      context,
      removed.flatMap(({ id, manifestDigest }) => [id, manifestDigest]),
    );
  };

  const find = (name: string, platform: string | undefined) => {
    const { image } = findImage(rows, name);
    requirePlatform(configOf(image.id), { wanted: wantedPlatform(platform), name });
    return image;
  };

  /** Removes a name or an image; gives dockerd's lines, and the diffIDs of the layers that went with it. */
  async function remove(name: string, force: boolean) {
    const diffIds = rows.diffIdsOf(findImage(rows, name).image.id);
    const { lines, removed } = removeImage({ rows, usersOf, onEvent }, name, force);
    const gone = await collectAfter([...dropRemoved(), ...(removed === undefined ? [] : [removed])]);
    collectHosted(context);
    // Layers are named by their chains there, uppermost first, as dockerd keeps them.
    const chains = chainIds(diffIds).filter((_, index) => gone.includes(diffIds[index] ?? ''));
    return { lines: [...lines, ...chains.toReversed().map((chainId) => ({ Deleted: chainId }))], gone };
  }

  const hosted = hostedImages({
    ...context,
    manifestOf: (id, signal) => manifestOf({ ...context, compress }, id, signal),
    removeName: async (name) => void (await remove(name, true)),
  });

  return {
    hosted,
    pull: async (request) => {
      await collectAfter(dropRemoved());
      await pullImage(context, request);
    },
    push: async (request) => await pushImage({ ...context, compress, configOf }, request),
    save: async (options) => await saveImages({ ...context, configOf }, options),
    load: async (request) => {
      await collectAfter(dropRemoved());
      await loadImages({ ...context, layerLimits }, request);
    },
    list: ({ filter = {} }) => listImages({ rows, configOf }, filter),
    inspect: (name, { platform } = {}) => inspectImage({ rows, configOf }, find(name, platform)),
    resolve: (name) => {
      // A container that was stopped when its image went can still be started.
      const { id, sizeBytes } = findImage(rows, name, { removed: true }).image;
      const { config, os, architecture, variant, diffIds } = configOf(id);
      return { id, config, os, architecture, variant, layers: diffIds, sizeBytes };
    },
    history: (name, { platform } = {}) => historyOf({ rows, configOf }, find(name, platform)),
    tag: (name, target) => {
      const { id } = findImage(rows, name).image;
      const wanted = readTarget(target);
      if (wanted === undefined)
        throw new BerthError('invalid', 'invalid reference format: no repository is named', {
          hint: 'berth tag IMAGE NAME:TAG',
        });
      rows.addName({ ...wanted, imageId: id });
      onEvent({ action: 'tag', id, name: tagText(wanted) });
    },
    make: async (made) => {
      const name = readTarget(made.target);
      const id = await makeImage(context, made);
      if (name !== undefined) onEvent({ action: 'tag', id, name: tagText(name) });
      if (made.imported === true) onEvent({ action: 'import', id, name: id });
      return id;
    },
    remove: async (name, { force = false, platform = [] }) => {
      for (const each of platform) find(name, each);
      return (await remove(name, force)).lines;
    },
    prune: async ({ filter = {} }) => {
      const isUsed = (id: string) => usersOf(id).length > 0;
      const [sizes, blobs] = [rows.layerSizes(), rows.blobs.sizes()];
      const deleted: ImageDeleted[] = [];
      let bytes = 0;
      for (const { id } of imagesToPrune({ rows, configOf, isUsed }, filter)) {
        // Somebody may have made a container of it, or removed it, since the list was made.
        if (isUsed(id) || rows.image(id)?.removed !== false) continue;
        const { lines, gone } = await remove(id, true);
        deleted.push(...lines);
        for (const diffId of gone) bytes += (sizes.get(diffId) ?? 0) + (blobs.get(diffId) ?? 0);
      }
      onPrune(bytes);
      return { ImagesDeleted: deleted.length === 0 ? null : deleted, SpaceReclaimed: bytes };
    },
    usage: () => ({
      LayersSize: [...rows.layerSizes().values(), ...rows.blobs.sizes().values()].reduce(
        (sum, bytes) => sum + bytes,
        0,
      ),
      Images: imagesInUse({ rows, configOf }, usersOf),
    }),
    lowerDirs: async (image) => {
      // A layer that is there twice counts where it is uppermost; overlay refuses the same directory twice.
      const ids = [...new Set(rows.layersOf(image.id).toReversed())];
      return ids.length === 0 ? [empty] : await layers.directories(ids);
    },
    checks: (signal) =>
      imageLooks({ ...context, usersOf, settledMs: options.settledMs ?? SETTLED_MS }, signal),
    layerKind: layers.kind,
    close: layers.close,
    count: () => rows.images().length,
    recover: async () => {
      dropRemoved();
      for (const { id } of rows.unusedLayers()) rows.removeLayer(id);
      await layers.recover(new Set(rows.layers()));
      const kept = [...rows.images(), ...rows.removedImages()];
      const blobs = kept.flatMap(({ id, manifestDigest }) => [id, manifestDigest]);
      await content.sweep(new Set([...blobs, ...rows.blobs.digests(), ...rows.hosted.digests()]));
      hosted.collect();
    },
  };
}

import { existsSync } from 'node:fs';
import { type Digest, shortDigest } from '../../api/digest.ts';
import { BerthError } from '../../api/errors.ts';
import type { LayerId } from '../../layers/types.ts';
import type { Look } from '../../state/faults.ts';
import { nameOf } from './blobs.ts';
import type { CheckContext } from './context.ts';
import type { Fetcher } from './fetch.ts';

/** Looks at each layer that a row names. */
export function layerLooks(context: CheckContext, fetcher: Fetcher, signal: AbortSignal): readonly Look[] {
  const { rows, content, layers } = context;
  return rows.allLayers().map(({ id, diffId }) => async () => {
    const [blob] = rows.blobs.ofDiffId(diffId);
    const path = blob === undefined ? undefined : content.pathOf(blob.digest);
    const problem = await layers.check(id, { diffId, blob: path, signal });
    if (problem === undefined || rows.layer(diffId) !== id) return undefined;
    const [image] = rows.imagesWith(diffId);
    return {
      kind: 'layer',
      what: `layer ${shortDigest(diffId)}${image === undefined ? '' : ` of ${nameOf(rows, image)}`}`,
      where: layers.pathOf(id),
      problem,
      repair: 'make it anew from its archive or its blob, which is fetched again where it has to be',
      mend: async () => await remake(context, fetcher, { id, diffId, signal }),
    };
  });
}

/** Takes a layer in anew under another number, and lets it take the place of the one that is broken. */
async function remake(
  { rows, content, layers, usersOf }: CheckContext,
  fetcher: Fetcher,
  job: { readonly id: LayerId; readonly diffId: Digest; readonly signal: AbortSignal },
): Promise<void> {
  const { id, diffId, signal } = job;
  const users = rows.imagesWith(diffId).flatMap((image) => usersOf(image.id));
  const running = users.find((user) => user.running);
  if (running !== undefined)
    throw new BerthError(
      'conflict',
      `container ${running.containerId.slice(0, 12)} runs on it: stop it first`,
    );
  const made = await makeOf(async function* () {
    const archive = await layers.archive(id).catch(() => undefined);
    if (archive !== undefined) yield archive.path;
    for (const { digest } of rows.blobs.ofDiffId(diffId))
      if (await content.has(digest)) yield content.pathOf(digest);
    for (const { descriptor, repositories } of fetcher.layerSources(diffId)) {
      await fetcher.blob(descriptor, repositories, `the layer`);
      yield content.pathOf(descriptor.digest);
    }
  });
  // Its image may have gone meanwhile.
  if (rows.layer(diffId) !== id) return await layers.remove(made);
  rows.renumberLayer(id, made);
  await layers.remove(id);

  async function makeOf(sources: () => AsyncGenerator<string>): Promise<LayerId> {
    let last: unknown = new BerthError(
      'notFound',
      'there is nothing to make it from: remove the image, and pull it',
    );
    try {
      for await (const blob of sources()) {
        try {
          return (await layers.apply({ blob, diffId, signal })).id;
        } catch (error) {
          last = error;
        }
      }
    } catch (error) {
      last = error;
    }
    throw last;
  }
}

/** Looks at the layers that no row names. */
export async function strayLayerLooks(context: CheckContext): Promise<readonly Look[]> {
  const { rows, layers, settledMs } = context;
  const found = await layers.list();
  return found.map(({ id, path, changedMs }) => async () => {
    if (rows.layers().includes(id) || Date.now() - changedMs < settledMs) return undefined;
    if (!existsSync(path)) return undefined;
    return {
      kind: 'layer',
      what: `layer number ${id}`,
      where: path,
      problem: 'nothing names it',
      repair: 'remove it',
      mend: async () => await layers.remove(id),
    };
  });
}

import { operations } from '../../engine/api/operations.ts';
import { familiarReference, parseReference } from '../../engine/api/reference.ts';
import { formatSize } from '../../engine/api/sizes.ts';
import { pushImage } from '../../engine/client/index.ts';
import { optional, record, text } from '../schema.ts';
import { facts } from '../table.ts';
import { tool } from '../tool.ts';

export const imagePush = tool({
  name: 'image_push',
  description: 'Push an image to the registry in its name, for others to pull.',
  // What the tag named there before is no longer found by it.
  hints: { readOnly: false, destructive: true, idempotent: true, openWorld: true },
  toolset: 'publish',
  fields: {
    image: operations.imagePull.query.fromImage,
    platform: operations.imagePush.query.platform,
  },
  required: ['image'],
  output: record({ image: text, digest: optional(text) }),
  async run({ image, platform }, { engine, signal, progress }) {
    const reference = familiarReference(parseReference(image));
    const layers = new Map<string, { readonly current: number; readonly total: number }>();
    let digest: string | undefined;
    progress.report(`pushing ${reference}`);
    for await (const line of pushImage(engine, { image: reference, platform, signal })) {
      digest = line.aux?.Digest ?? digest;
      const { id, progressDetail: { current = 0, total = 0 } = {} } = line;
      if (id === undefined || total === 0) continue;
      layers.set(id, { current: Math.min(current, total), total });
      const sum = (of: 'current' | 'total') => [...layers.values()].reduce((all, one) => all + one[of], 0);
      const bytes = `${formatSize(sum('current'))} of ${formatSize(sum('total'))}`;
      progress.report(`pushing ${reference}: ${bytes}`, sum('current'), sum('total'));
    }
    signal.throwIfAborted();
    return {
      text: facts([
        ['pushed', reference],
        ['digest', digest],
      ]),
      data: { image: reference, digest },
    };
  },
});

import { BerthError } from '../../api/errors.ts';
import { type Handlers, json, type ServerParts } from '../exchange.ts';

const kinds = ['container', 'image', 'volume', 'build-cache'];

/** What is held on the disk, over all kinds of objects; and the prune of a kind that there is none of. */
export function diskUsageHandlers({
  containers,
  images,
  volumes,
}: Pick<ServerParts, 'containers' | 'images' | 'volumes'>): Pick<Handlers, 'diskUsage' | 'buildPrune'> {
  return {
    diskUsage: async ({ query, apiMinor }) => {
      const { type = [] } = query;
      // Older clients don't know the key, and expect all.
      const wanted = apiMinor < 42 || type.length === 0 ? kinds : type;
      for (const kind of wanted) {
        if (!kinds.includes(kind))
          throw new BerthError('invalid', `unknown object type: ${kind}`, {
            hint: `ask for ${kinds.join(', ')}`,
          });
      }
      return json({
        ...(wanted.includes('image') ? images.usage() : { LayersSize: 0, Images: null }),
        Containers: wanted.includes('container') ? await containers.list({ all: true, size: true }) : null,
        Volumes: wanted.includes('volume') ? await volumes.usage() : null,
        // There is none on this engine.
        BuildCache: wanted.includes('build-cache') ? [] : null,
        BuilderSize: 0,
      });
    },
    buildPrune: () => json({ CachesDeleted: null, SpaceReclaimed: 0 }),
  };
}

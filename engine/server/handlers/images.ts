import { BerthError } from '../../api/errors.ts';
import { type Handlers, json, type ServerParts } from '../exchange.ts';
import { withProgress } from '../progress.ts';
import { authOf } from '../registry-auth.ts';

/** Images: pull, push, list, inspect, remove. */
export function imageHandlers({
  images,
}: Pick<ServerParts, 'images'>): Pick<
  Handlers,
  'imagePull' | 'imagePush' | 'imageList' | 'imageInspect' | 'imageRemove' | 'imagePrune'
> {
  return {
    imagePull: async ({ query, headers, signal }) => {
      const auth = authOf(headers);
      const reference = joinReference(query.fromImage ?? '', query.tag ?? '');
      return await withProgress((onProgress) =>
        images.pull({ reference, platform: query.platform, auth, signal, onProgress }),
      );
    },
    imagePush: async ({ path, query, headers, signal }) => {
      const auth = authOf(headers);
      return await withProgress((onProgress) => images.push({ ...path, ...query, auth, signal, onProgress }));
    },
    imageList: ({ query }) => json(images.list(query)),
    imageInspect: ({ path, query }) => json(images.inspect(path.name, query)),
    imagePrune: async ({ query }) => json(await images.prune(query)),
    imageRemove: async ({ path, query }) => json(await images.remove(path.name, query)),
  };
}

/** The reference of `fromImage` and `tag`, which may be a digest. Without a tag it is the default one. */
function joinReference(image: string, tag: string): string {
  if (image === '')
    throw new BerthError('invalid', 'no image given: fromImage is empty', {
      hint: 'name one, as in /images/create?fromImage=ubuntu&tag=24.04',
    });
  if (tag === '') return image;
  return tag.startsWith('sha256:') ? `${image}@${tag}` : `${image}:${tag}`;
}

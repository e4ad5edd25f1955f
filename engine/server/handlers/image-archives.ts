import type { Handlers, Reply, ServerParts } from '../exchange.ts';
import { withProgress } from '../progress.ts';

type Ids = 'imagesSave' | 'imageSave' | 'imagesLoad';

/** Images in archives. */
export function imageArchiveHandlers({ images }: Pick<ServerParts, 'images'>): Pick<Handlers, Ids> {
  const save = async (names: readonly string[], platform: string | undefined): Promise<Reply> => ({
    kind: 'stream',
    contentType: 'application/x-tar',
    chunks: await images.save({ names, platform }),
  });
  return {
    imagesSave: async ({ query }) => await save(query.names ?? [], query.platform),
    imageSave: async ({ path, query }) => await save([path.name], query.platform),
    imagesLoad: async ({ query, body, signal }) => {
      return await withProgress((onProgress) => images.load({ archive: body, ...query, signal, onProgress }));
    },
  };
}

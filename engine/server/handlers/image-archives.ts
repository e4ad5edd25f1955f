import { BerthError } from '../../api/errors.ts';
import { parsePlatform } from '../../registry/platform.ts';
import type { Handlers, Reply, ServerParts } from '../exchange.ts';
import { withProgress } from '../progress.ts';

type Ids = 'imagesSave' | 'imageSave' | 'imagesLoad';

/** Images in archives. */
export function imageArchiveHandlers({ images }: Pick<ServerParts, 'images'>): Pick<Handlers, Ids> {
  const save = async (names: readonly string[], platform: string | undefined): Promise<Reply> => ({
    kind: 'stream',
    contentType: 'application/x-tar',
    chunks: await images.save({ names, platform: platformText(platform) }),
  });
  return {
    imagesSave: async ({ query }) => await save(query.names ?? [], query.platform),
    imageSave: async ({ path, query }) => await save([path.name], query.platform),
    imagesLoad: async ({ query, body, signal }) => {
      const platform = platformText(query.platform);
      return await withProgress((onProgress) =>
        images.load({ archive: body, quiet: query.quiet, platform, signal, onProgress }),
      );
    },
  };
}

/** From version 1.48 on clients send a platform as JSON: `{"os":"linux","architecture":"amd64"}`. */
function platformText(given: string | undefined): string | undefined {
  if (given === undefined || !given.trim().startsWith('{')) return given;
  const wrong = () => new BerthError('invalid', `invalid platform: '${given.slice(0, 200)}'`);
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(given) as Record<string, unknown>;
  } catch {
    throw wrong();
  }
  const parts = [value.os, value.architecture, value.variant].filter(
    (part) => part !== undefined && part !== '',
  );
  if (parts.length < 2 || !parts.every((part) => typeof part === 'string')) throw wrong();
  const text = parts.join('/');
  parsePlatform(text);
  return text;
}

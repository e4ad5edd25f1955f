import { BerthError } from '../../api/errors.ts';
import type { Look } from '../../state/faults.ts';
import { parseImageConfig } from '../config.ts';
import { blobLooks, nameOf, strayBlobLooks } from './blobs.ts';
import type { CheckContext } from './context.ts';
import { openFetcher } from './fetch.ts';
import { layerLooks, strayLayerLooks } from './layers.ts';

/**
 * All that is to be looked at of the images: the database, blobs, then the layers, which are made anew from blobs, then
 * what no row names.
 */
export async function imageLooks(context: CheckContext, signal: AbortSignal): Promise<readonly Look[]> {
  const fetcher = openFetcher(context, signal);
  return [
    ...databaseLooks(context),
    ...blobLooks(context, fetcher, signal),
    ...layerLooks(context, fetcher, signal),
    ...imageRowLooks(context),
    ...(await strayBlobLooks(context)),
    ...(await strayLayerLooks(context)),
  ];
}

function databaseLooks({ rows }: CheckContext): readonly Look[] {
  return [
    async () => {
      const [problem] = rows.faults();
      if (problem === undefined) return undefined;
      return {
        kind: 'database',
        what: 'the database',
        where: 'berth.db',
        problem,
        repair: 'none here: put a copy back, or begin with another --root',
        mend: undefined,
      };
    },
  ];
}

/** The layers that an image's config names are those that its rows name. */
function imageRowLooks({ rows, content }: CheckContext): readonly Look[] {
  return rows.images().map((image) => async () => {
    let wanted: readonly string[];
    try {
      wanted = parseImageConfig(content.read(image.id), image.id).diffIds;
    } catch (error) {
      // Said of its blob already.
      if (!(error instanceof BerthError)) throw error;
      return undefined;
    }
    if (rows.image(image.id) === undefined) return undefined;
    const found = rows.diffIdsOf(image.id);
    if (wanted.length === found.length && wanted.every((diffId, index) => diffId === found[index]))
      return undefined;
    return {
      kind: 'database',
      what: `the layers of ${nameOf(rows, image)}`,
      where: 'berth.db',
      problem: `${found.length} are known, and its config names ${wanted.length}`,
      repair: `none here: berth rmi -f ${nameOf(rows, image)}, and pull it again`,
      mend: undefined,
    };
  });
}

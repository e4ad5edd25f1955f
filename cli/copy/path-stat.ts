import type { IncomingHttpHeaders } from 'node:http';
import { BerthError, toBerthError } from '../../engine/api/errors.ts';
import type { PathStat } from '../../engine/api/wire/archives.ts';
import type { Client } from '../../engine/client/client.ts';

/** Bits of Go's os.FileMode. */
const DIRECTORY = 2 ** 31;
const LINK = 2 ** 27;

const has = (mode: number, bit: number) => Math.floor(mode / bit) % 2 === 1;
export const isDirectory = ({ mode }: PathStat) => has(mode, DIRECTORY);
export const isLink = ({ mode }: PathStat) => has(mode, LINK);

/** What an answer's header says of the path that was asked for. Throws `internal` where it says nothing. */
export function readPathStat(headers: IncomingHttpHeaders): PathStat {
  const header = headers['x-docker-container-path-stat'];
  try {
    return JSON.parse(Buffer.from(String(header), 'base64').toString()) as PathStat;
  } catch (cause) {
    throw new BerthError('internal', 'the engine did not say what the path is', { cause });
  }
}

/** What a container's path names; undefined where there is nothing, or nothing that can be said of it. */
export async function statInContainer(
  client: Client,
  place: { readonly container: string; readonly path: string },
  signal: AbortSignal,
): Promise<PathStat | undefined> {
  try {
    const headers = await client.headers(
      'containerArchiveInfo',
      { id: place.container, path: place.path },
      { signal },
    );
    return readPathStat(headers);
  } catch (thrown) {
    const { code } = toBerthError(thrown);
    // An answer to HEAD has no words: what is wrong is said by the copy itself.
    if (code === 'cancelled' || code === 'unavailable' || code === 'forbidden') throw thrown;
    return undefined;
  }
}

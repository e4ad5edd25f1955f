import { BerthError } from '../../api/errors.ts';
import type { VolumeCreateBody } from '../../api/wire/volumes.ts';
import { readTruth } from '../../volumes/volumes.ts';
import { empty, type Handlers, json, type ServerParts } from '../exchange.ts';

/** Before this version a prune took all that no container has. */
const PRUNES_ANONYMOUS = 42;

/** Volumes. */
export function volumeHandlers({
  volumes,
}: Pick<ServerParts, 'volumes'>): Pick<
  Handlers,
  'volumeCreate' | 'volumeList' | 'volumeInspect' | 'volumeRemove' | 'volumePrune'
> {
  return {
    volumeCreate: async ({ body }) => json(await volumes.create(readBody(body)), 201),
    volumeList: ({ query }) => json(volumes.list(query.filter ?? {})),
    volumeInspect: async ({ path, query }) =>
      json(query.size ? await volumes.inspectUsage(path.name) : volumes.inspect(path.name)),
    volumeRemove: async ({ path, query }) => {
      await volumes.remove(path.name, { force: query.force === true });
      return empty(204);
    },
    volumePrune: async ({ query, apiMinor }) => {
      const { all: [all] = [], ...filter } = query.filter ?? {};
      const everything = all === undefined ? apiMinor < PRUNES_ANONYMOUS : readTruth('all', all);
      return json(await volumes.prune(filter, { all: everything }));
    },
  };
}

/** Throws `invalid` with the field and its value, `unsupported` for a volume of a cluster. */
function readBody(body: VolumeCreateBody): VolumeCreateBody {
  const wrong = (name: string, expected: string) =>
    new BerthError('invalid', `invalid ${name}: ${JSON.stringify(body[name])}: expected ${expected}`);
  for (const name of ['Name', 'Driver'])
    if (body[name] != null && typeof body[name] !== 'string') throw wrong(name, 'text');
  for (const name of ['DriverOpts', 'Labels']) {
    const map = body[name] ?? {};
    const isMap = typeof map === 'object' && !Array.isArray(map);
    if (!isMap || !Object.values(map).every((value) => typeof value === 'string'))
      throw wrong(name, 'a map of text');
  }
  if (body.ClusterVolumeSpec != null)
    throw new BerthError(
      'unsupported',
      'ClusterVolumeSpec is not supported: this engine has no cluster volumes',
      {
        hint: 'leave it out',
      },
    );
  return body;
}

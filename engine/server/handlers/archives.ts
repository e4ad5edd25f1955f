import { BerthError } from '../../api/errors.ts';
import type { PathStat } from '../../api/wire/archives.ts';
import { empty, type Handlers, json, type ServerParts } from '../exchange.ts';

type Ids =
  | 'containerArchiveInfo'
  | 'containerArchive'
  | 'putContainerArchive'
  | 'containerChanges'
  | 'containerExport';

/** A container's files. */
export function archiveHandlers({ containers }: Pick<ServerParts, 'containers'>): Pick<Handlers, Ids> {
  return {
    containerArchiveInfo: async ({ path, query, signal }) =>
      empty(200, statHeader(await containers.statPath(path.id, requirePath(query.path), signal))),

    containerArchive: async ({ path, query, signal }) => {
      const { stat, archive } = await containers.readArchive(path.id, requirePath(query.path), signal);
      return { kind: 'stream', contentType: 'application/x-tar', headers: statHeader(stat), chunks: archive };
    },

    putContainerArchive: async ({ path, query, body, signal }) => {
      const options = { ...query, path: requirePath(query.path) };
      await containers.writeArchive(path.id, options, body, signal);
      return empty(200);
    },

    containerChanges: async ({ path, signal }) => {
      const changes = await containers.changes(path.id, signal);
      // As dockerd writes an empty list.
      return json(changes.length === 0 ? null : changes);
    },

    containerExport: async ({ path, signal }) => ({
      kind: 'stream',
      contentType: 'application/octet-stream',
      chunks: await containers.exportTree(path.id, signal),
    }),
  };
}

function requirePath(path: string | undefined): string {
  if (path !== undefined) return path;
  throw new BerthError('invalid', 'bad parameter: path cannot be empty');
}

function statHeader(stat: PathStat): Readonly<Record<string, string>> {
  return { 'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(stat)).toString('base64') };
}

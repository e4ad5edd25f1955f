import type { IncomingHttpHeaders } from 'node:http';
import { BerthError } from '../../api/errors.ts';
import { empty, type Handlers, json, type ServerParts } from '../exchange.ts';

type Ids =
  | 'containerCreate'
  | 'containerList'
  | 'containerInspect'
  | 'containerStart'
  | 'containerStop'
  | 'containerRestart'
  | 'containerKill'
  | 'containerPause'
  | 'containerUnpause'
  | 'containerRename'
  | 'containerUpdate'
  | 'containerPrune'
  | 'containerRemove'
  | 'containerResize';

/** Containers: everything that is one question and one answer. */
export function containerHandlers({ containers }: Pick<ServerParts, 'containers'>): Pick<Handlers, Ids> {
  /** 204, or 304 where nothing changed. */
  const changed = (change: boolean) => empty(change ? 204 : 304);
  return {
    containerCreate: async ({ body, query }) => json(await containers.create(body, query), 201),
    containerList: async ({ query }) => json(await containers.list(query)),
    containerInspect: async ({ path, query }) => json(await containers.inspect(path.id, query)),
    containerStart: async ({ path, headers }) => {
      refuseStartBody(headers);
      return changed(await containers.start(path.id));
    },
    containerStop: async ({ path, query }) => changed(await containers.stop(path.id, query)),
    containerRestart: async ({ path, query }) => {
      await containers.restart(path.id, query);
      return empty(204);
    },
    containerKill: async ({ path, query }) => {
      await containers.kill(path.id, query);
      return empty(204);
    },
    containerPause: async ({ path }) => {
      await containers.pause(path.id);
      return empty(204);
    },
    containerUnpause: async ({ path }) => {
      await containers.unpause(path.id);
      return empty(204);
    },
    containerRename: async ({ path, query }) => {
      await containers.rename(path.id, query.newName ?? '');
      return empty(204);
    },
    containerUpdate: async ({ path, body }) => json(await containers.update(path.id, body)),
    containerPrune: async ({ query }) => json(await containers.prune(query)),
    containerRemove: async ({ path, query }) => {
      if (query.link === true) await containers.removeLink(path.id);
      else await containers.remove(path.id, query);
      return empty(204);
    },
    containerResize: async ({ path, query }) => {
      for (const [name, value] of [
        ['h', query.height],
        ['w', query.width],
      ])
        if (value === undefined)
          throw new BerthError('invalid', `invalid value '' for ${name}: expected a whole number`);
      await containers.resize(path.id, query);
      return empty(200);
    },
  };
}

/** Up to API 1.23 a start had a HostConfig in its body. `null` and `{}` say nothing; more must not be ignored. */
function refuseStartBody(headers: IncomingHttpHeaders): void {
  const chunked = headers['transfer-encoding'] !== undefined;
  if (!chunked && Number(headers['content-length'] ?? 0) <= '{}\r\n'.length) return;
  throw new BerthError('invalid', 'a start takes no body: API v1.24 has taken HostConfig out of it', {
    hint: 'give HostConfig to create',
  });
}

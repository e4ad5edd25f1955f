import { BerthError } from '../../api/errors.ts';
import { parseDetachKeys } from '../detach.ts';
import { empty, type Handlers, json, type ServerParts, streamType } from '../exchange.ts';

/** Programs that are run in running containers. */
export function execHandlers({
  containers,
}: Pick<ServerParts, 'containers'>): Pick<
  Handlers,
  'execCreate' | 'execStart' | 'execResize' | 'execInspect'
> {
  return {
    execCreate: ({ path, body }) => {
      const { DetachKeys: keys } = body;
      const detachKeys = typeof keys === 'string' && keys !== '' ? parseDetachKeys(keys) : undefined;
      return json(containers.createExec(path.id, body, detachKeys), 201);
    },

    execStart: async ({ path, body, apiMinor }) => {
      const started = await containers.startExec(path.id, body);
      if (started === undefined) return empty(200);
      const { attachment, detachKeys = parseDetachKeys(undefined) } = started;
      return { kind: 'attach', contentType: streamType(apiMinor, attachment.tty), attachment, detachKeys };
    },

    execResize: async ({ path, query }) => {
      const { height, width } = query;
      for (const [name, value] of [
        ['h', height],
        ['w', width],
      ])
        if (value === undefined)
          throw new BerthError('invalid', `invalid value '' for ${name}: expected a whole number`);
      await containers.resizeExec(path.id, { height: height ?? 0, width: width ?? 0 });
      return empty(200);
    },

    execInspect: ({ path }) => json(containers.inspectExec(path.id)),
  };
}

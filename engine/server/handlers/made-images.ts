import { BerthError } from '../../api/errors.ts';
import type { ContainerConfig } from '../../api/wire.ts';
import { readContainerConfig } from '../../images/config.ts';
import { applyInstructions } from '../../images/instructions.ts';
import { wantedPlatform } from '../../images/platform.ts';
import { decompressed } from '../../layers/decompress.ts';
import { empty, type Handlers, json, type ServerParts } from '../exchange.ts';

type Ids = 'imageImport' | 'containerCommit' | 'imageTag' | 'imageHistory';

/** Images that are made here, their names, and how they came to be. */
export function madeImageHandlers({
  containers,
  images,
}: Pick<ServerParts, 'containers' | 'images'>): Pick<Handlers, Ids> {
  return {
    imageImport: async ({ query, body, signal }) => {
      if (query.fromSrc !== '-')
        throw new BerthError(
          'unsupported',
          `images are imported from the request's body alone, not from ${query.fromSrc}`,
          {
            hint: `fetch it first: curl -L ${query.fromSrc} | berth import - NAME`,
          },
        );
      const id = await images.make({
        layer: decompressed(body),
        config: applyInstructions(readContainerConfig({}), query.changes ?? []),
        comment: query.message,
        platform: wantedPlatform(query.platform),
        target: query,
        signal,
        imported: true,
      });
      return { kind: 'stream', contentType: 'application/json', chunks: statusLine(id) };
    },

    containerCommit: async ({ query, body, signal }) => {
      if (query.container === undefined)
        throw new BerthError('invalid', 'invalid name or ID supplied: ""', {
          hint: 'name a container, as in /commit?container=web',
        });
      const given = body as Readonly<Record<string, unknown>>;
      const config: ContainerConfig = Object.keys(given).length === 0 ? {} : readContainerConfig(given);
      const pause = !['0', 'no', 'false', 'none'].includes(query.pause ?? '');
      return json(await containers.commit(query.container, { ...query, pause, config }, signal), 201);
    },

    imageTag: ({ path, query }) => {
      images.tag(path.name, query);
      return empty(201);
    },

    imageHistory: ({ path, query }) => json(images.history(path.name, query)),
  };
}

async function* statusLine(status: string): AsyncGenerator<string> {
  yield `${JSON.stringify({ status })}\r\n`;
}

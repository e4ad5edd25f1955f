import { BerthError } from '../../api/errors.ts';
import { type Handlers, json, type ServerParts } from '../exchange.ts';
import { authOf, readCredentials } from '../registry-auth.ts';
import { jsonLines } from './system.ts';

type Ids = 'registryServe' | 'registryLogin' | 'distributionInspect' | 'imageSearch';

/** The engine's own registry, and what others are asked beside images. */
export function registryHandlers({
  registry,
  registries,
}: Pick<ServerParts, 'registry' | 'registries'>): Pick<Handlers, Ids> {
  return {
    registryServe: async ({ body, signal }) => {
      const lines = await registry.serve(body, signal);
      return { kind: 'stream', contentType: 'application/json', chunks: jsonLines(lines) };
    },
    registryLogin: async ({ body, signal }) => {
      const { serveraddress: server = '' } = body;
      // Never the value: it is a secret, or may be one that stands in the wrong place.
      const wrong = (name: string) => new BerthError('invalid', `${name} is not text`);
      if (typeof server !== 'string') throw wrong('serveraddress');
      const credentials = readCredentials(body, wrong) ?? {};
      const { identityToken = '' } = await registries.logIn({ server, credentials, signal });
      return json({ Status: 'Login Succeeded', IdentityToken: identityToken });
    },
    distributionInspect: async ({ path, query, headers, signal }) => {
      const credentials = authOf(headers);
      return json(await registries.describe({ ...path, ...query, credentials, signal }));
    },
    imageSearch: async ({ query, headers, signal }) => {
      const { term = '', ...rest } = query;
      return json(await registries.search({ term, ...rest, credentials: authOf(headers), signal }));
    },
  };
}

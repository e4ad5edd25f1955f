import { BerthError } from '../../api/errors.ts';
import type { Filters } from '../../api/fields.ts';
import type { NetworkView } from '../../networks/types.ts';
import { type Handlers, json, type ServerParts } from '../exchange.ts';

/** Networks: list and inspect. */
export function networkHandlers({
  networks,
}: Pick<ServerParts, 'networks'>): Pick<Handlers, 'networkList' | 'networkInspect' | 'networkPrune'> {
  return {
    networkList: ({ query }) => {
      const passes = networkFilter(query.filter ?? {});
      return json(networks.list().filter(passes));
    },
    networkPrune: ({ query }) => {
      for (const name of Object.keys(query.filter ?? {})) {
        if (!['label', 'label!', 'until'].includes(name))
          throw new BerthError('invalid', `invalid filter '${name}'`, {
            hint: 'prune networks by label, label!, until',
          });
      }
      // The engine's own three are all there are, and stay.
      return json({ NetworksDeleted: null });
    },
    networkInspect: ({ path }) => json(networks.inspect(path.id)),
  };
}

const tests: Readonly<Record<string, (network: NetworkView, wanted: string) => boolean>> = {
  name: (network, wanted) => network.Name.includes(wanted),
  id: (network, wanted) => network.Id.startsWith(wanted),
  driver: (network, wanted) => network.Driver === wanted,
  scope: (network, wanted) => network.Scope === wanted,
  // The engine's own three are all there are.
  type: (_network, wanted) => wanted === 'builtin',
  dangling: (_network, wanted) => !['1', 'true'].includes(wanted),
  label: () => false,
};

/** Values of one key are alternatives, keys must all hold (Engine API, NetworkList). Throws `invalid`. */
function networkFilter(filter: Filters): (network: NetworkView) => boolean {
  for (const key of Object.keys(filter)) {
    if (!Object.hasOwn(tests, key))
      throw new BerthError('invalid', `invalid filter '${key}'`, {
        hint: `filter networks by ${Object.keys(tests).join(', ')}`,
      });
  }
  return (network) =>
    Object.entries(filter).every(
      ([key, values]) => values.length === 0 || values.some((wanted) => tests[key]?.(network, wanted)),
    );
}

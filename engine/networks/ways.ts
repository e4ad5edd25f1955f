import { type Gateway, setGateways } from './namespaces.ts';
import { optionsOf } from './options.ts';
import type { Target } from './ports/types.ts';
import type { NetworkStore } from './store.ts';
import type { Endpoint, Joined } from './types.ts';
import { subnetOf } from './views.ts';

export type Ways = ReturnType<typeof openWays>;

/** Which of a container's networks lead out, and in. */
export function openWays(store: Pick<NetworkStore, 'endpointsOf' | 'byId'>) {
  /** Of its networks that lead anywhere the first by name, as docker has it; for each kind of address by itself. */
  function firstOf(containerId: string, family: 4 | 6, without?: Endpoint): Joined | undefined {
    return store
      .endpointsOf(containerId)
      .filter(({ id }) => id !== without?.id)
      .flatMap((endpoint) => {
        const network = store.byId(endpoint.networkId);
        return network === undefined || network.internal || endpoint.interface === ''
          ? []
          : [{ endpoint, network }];
      })
      .toSorted((a, b) => (a.network.name < b.network.name ? -1 : 1))
      .find(({ endpoint }) => (family === 4 ? endpoint.address : endpoint.address6) !== '');
  }

  function gatewaysOf(containerId: string, without?: Endpoint): readonly Gateway[] {
    return ([4, 6] as const).flatMap((family) => {
      const first = firstOf(containerId, family, without);
      const address = first && subnetOf(first.network, family)?.Gateway;
      return address ? [{ name: first.endpoint.interface, address }] : [];
    });
  }

  return {
    gatewaysOf,

    /**
     * Where its published ports lead: what comes that way goes back the same. Undefined where it is on no bridge that
     * leads out. `hostAddress` is where ports are published that name no address, if its network says so.
     */
    targetOf(containerId: string): (Target & { readonly hostAddress: string | undefined }) | undefined {
      const [four, six] = ([4, 6] as const).map((family) => {
        const first = firstOf(containerId, family);
        return first?.network.driver === 'bridge' ? first : undefined;
      });
      const joined = four ?? six;
      return (
        joined && {
          hostAddress: optionsOf(joined.network).hostAddress,
          address: four?.endpoint.address ?? '',
          address6: six?.endpoint.address6 ?? '',
        }
      );
    },

    /** Changes what a running container has of networks, and its ways out with it: `without` is what goes. */
    replug(
      containerId: string,
      path: string,
      { change, without }: { readonly change: () => void; readonly without?: Endpoint },
    ): void {
      const from = gatewaysOf(containerId);
      change();
      const to = gatewaysOf(containerId, without);
      const same =
        from.length === to.length && from.every((way, index) => way.address === to[index]?.address);
      if (!same) setGateways(path, { from, to });
    },
  };
}

import { BerthError } from '../../engine/api/errors.ts';
import { string } from '../../engine/api/fields.ts';
import type { NetworkInspect } from '../../engine/api/wire/networks.ts';
import type { ContainerInspect } from '../../engine/api/wire.ts';
import type { Call } from '../tool.ts';

/** What every tool about one container calls that container. */
export const containerField = string('Name or id');

export const networkField = string('Name of the network');
export const volumeField = string('Name of the volume');

/** All about a network. Throws `notFound`, with the tool that shows what there is. */
export async function lookUpNetwork(network: string, { engine, signal }: Call): Promise<NetworkInspect> {
  try {
    return await engine.call('networkInspect', { id: network }, { signal });
  } catch (error) {
    throw withHint(error, 'notFound', 'network_list shows what there is');
  }
}

/** All about a container, by name or id. Throws `notFound`, with the tool that shows what there is. */
export async function lookUp(container: string, { engine, signal }: Call): Promise<ContainerInspect> {
  try {
    return await engine.call('containerInspect', { id: container }, { signal });
  } catch (error) {
    throw withHint(error, 'notFound', 'container_list with all: true shows what there is');
  }
}

/** The error with this hint, where it is of that code; engines hint at their own command line, if at anything. */
export function withHint(error: unknown, code: BerthError['code'], hint: string): unknown {
  if (!(error instanceof BerthError) || error.code !== code) return error;
  return new BerthError(code, error.message, { hint, cause: error });
}

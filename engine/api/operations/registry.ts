import type { RegistryLine, RegistryServeBody } from '../wire/registry.ts';
import { operation } from './define.ts';

/** The engine's own registry. */
export const registryOperations = {
  registryServe: operation<RegistryLine, RegistryServeBody>()({
    summary: "Serve the engine's images as a registry for as long as the connection stands",
    route: 'POST /registry/serve',
    body: 'json',
    answer: 'lines',
  }),
};

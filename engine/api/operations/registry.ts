import type { AuthAnswer, AuthBody, RegistryLine, RegistryServeBody } from '../wire/registry.ts';
import { operation } from './define.ts';

/** The engine's own registry, and what others are asked beside images. */
export const registryOperations = {
  registryServe: operation<RegistryLine, RegistryServeBody>()({
    summary: "Serve the engine's images as a registry for as long as the connection stands",
    route: 'POST /registry/serve',
    body: 'json',
    answer: 'lines',
  }),
  registryLogin: operation<AuthAnswer, AuthBody>()({
    summary: 'Ask a registry whether it takes a name and password',
    route: 'POST /auth',
    body: 'json',
  }),
};

import { boolean, integer, string } from '../fields.ts';
import type {
  AuthAnswer,
  AuthBody,
  DistributionInspect,
  RegistryLine,
  RegistryServeBody,
  SearchResult,
} from '../wire/registry.ts';
import { operation } from './define.ts';
import { shared } from './shared.ts';

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
  distributionInspect: operation<DistributionInspect>()({
    summary: 'Ask a registry which platforms it has an image for, without pulling it',
    route: 'GET /distribution/{name*}/json',
    query: { manifest: boolean('Give the manifest as it came, too') },
  }),
  imageSearch: operation<readonly SearchResult[]>()({
    summary: 'Search a registry for images',
    route: 'GET /images/search',
    query: {
      term: string('What to look for; with the name of a registry before it, there', { placeholder: 'TERM' }),
      limit: integer('How many results to give', { min: 1, max: 100, placeholder: 'N' }),
      filter: shared.filter,
    },
  }),
};

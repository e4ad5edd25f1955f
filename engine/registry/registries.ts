import type { DistributionInspect, SearchResult } from '../api/wire/registry.ts';
import type { Credentials } from './auth.ts';
import { type DescribeRequest, describe } from './describe.ts';
import { logIn } from './login.ts';
import { type SearchRequest, search } from './search.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';

/** What registries are asked beside images. */
export type Registries = {
  /** See `logIn`. */
  logIn(options: {
    readonly server: string;
    readonly credentials: Credentials;
    readonly signal: AbortSignal;
  }): Promise<{ readonly identityToken: string | undefined }>;
  /** See `describe`. */
  describe(request: DescribeRequest): Promise<DistributionInspect>;
  /** See `search`. */
  search(request: SearchRequest): Promise<readonly SearchResult[]>;
};

export function openRegistries(known: {
  readonly settings: RegistrySettings;
  readonly limits: RegistryLimits;
}): Registries {
  return {
    logIn: async (options) => await logIn({ ...known, ...options }),
    describe: async (request) => await describe(known, request),
    search: async (request) => await search(known, request),
  };
}

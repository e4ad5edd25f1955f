import type { Credentials } from './auth.ts';
import { logIn } from './login.ts';
import type { RegistryLimits, RegistrySettings } from './settings.ts';

/** What registries are asked beside images. All that is thrown is as `Repository` says. */
export type Registries = {
  /** See `logIn`. */
  logIn(options: {
    readonly server: string;
    readonly credentials: Credentials;
    readonly signal: AbortSignal;
  }): Promise<{ readonly identityToken: string | undefined }>;
};

export function openRegistries(known: {
  readonly settings: RegistrySettings;
  readonly limits: RegistryLimits;
}): Registries {
  return {
    logIn: async (options) => await logIn({ ...known, ...options }),
  };
}

import { BerthError } from '../api/errors.ts';
import { registryDomain } from '../api/reference.ts';
import { authorize, type Credentials, parseChallenges } from './auth.ts';
import { exchange } from './http.ts';
import { settleScheme } from './session.ts';
import { endpointsOf, type RegistryLimits, type RegistrySettings } from './settings.ts';

/**
 * Shows credentials to a registry. Gives the identity token that is to be kept in the password's place, where its
 * token service has one. Throws `unauthorized` when they are refused, `unavailable` when nobody can be asked; what
 * is thrown never holds them. (Distribution spec, "Determining Support"; distribution's docs/spec/auth/oauth.md.)
 */
export async function logIn(options: {
  readonly server: string;
  readonly credentials: Credentials;
  readonly settings: RegistrySettings;
  readonly limits: RegistryLimits;
  readonly signal: AbortSignal;
}): Promise<{ readonly identityToken: string | undefined }> {
  const { credentials, settings, limits, signal } = options;
  const domain = registryDomain(options.server);
  const endpoint = endpointsOf(domain, settings).find(({ mirror }) => !mirror);
  if (endpoint === undefined) throw new BerthError('internal', `${domain} has no address`);
  const url = new URL('/v2/', await settleScheme(endpoint, limits, signal));
  const first = await exchange({ url, endpoint, limits, signal });
  first.discard();
  // Who asks for nothing takes anything.
  if (first.status === 200) return { identityToken: undefined };
  const wrong = new BerthError('unauthorized', `${domain} refuses the login: wrong name or password`, {
    hint: 'many registries want a token of theirs in place of the password',
  });
  if (first.status !== 401 || first.url.host !== url.host)
    throw new BerthError('unavailable', `${domain} answered ${first.status}: it is no registry`, {
      hint: 'check the address',
    });
  let identityToken: string | undefined;
  const challenges = parseChallenges(first.header('www-authenticate') ?? '');
  const authorization = await authorize({
    challenges,
    endpoint,
    scopes: [],
    credentials,
    limits,
    signal,
    onRefreshToken: (token) => {
      identityToken = token;
    },
  }).catch((error: unknown) => {
    throw error instanceof BerthError && error.code === 'unauthorized' ? wrong : error;
  });
  if (authorization === undefined) throw wrong;
  const answer = await exchange({ url, headers: { authorization }, endpoint, limits, signal });
  answer.discard();
  if (answer.status === 401 || answer.status === 403) throw wrong;
  if (answer.status === 200) return { identityToken };
  throw new BerthError('unavailable', `${domain} answered ${answer.status} to the login`, {
    hint: answer.status === 429 ? 'wait a while' : 'try again later',
  });
}

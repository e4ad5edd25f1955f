import { BerthError } from '../api/errors.ts';
import { authorize, type Credentials, parseChallenges } from './auth.ts';
import { type Answer, type Body, exchange, type Method, redirected } from './http.ts';
import { denied, refusal } from './refusal.ts';
import { retrying } from './retry.ts';
import type { Endpoint, RegistryLimits } from './settings.ts';

/** A conversation with one registry about one repository: it keeps the scheme and the token that worked. */
export type Session = {
  readonly endpoint: Endpoint;
  /**
   * Asks for something of the repository. Gives answers of the statuses expected; throws `notFound`, `unauthorized`,
   * `unavailable` on others, in words.
   */
  readonly send: (request: SessionRequest) => Promise<Answer>;
};

export type SessionRequest = {
  readonly method?: Method;
  /** Below `/v2/<repository>/`; or an address that the registry named. */
  readonly path: string | URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  /** Statuses that are no failure. */
  readonly expected: readonly number[];
  /** What is asked for, for messages: the reference as a person writes it. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Whether it is sent anew where it fails in a way that may pass; not where the caller has to look first. */
  readonly retried?: boolean;
  /** Another repository of the registry, that is read. */
  readonly from?: string | undefined;
};

/** Opens a conversation. Nothing is sent before something is asked for. */
export function openSession(options: {
  readonly endpoint: Endpoint;
  readonly repository: string;
  readonly credentials: Credentials | undefined;
  readonly limits: RegistryLimits;
  /** What is to be done there. */
  readonly actions?: 'pull' | 'pull,push';
}): Session {
  const { endpoint, repository, limits, actions = 'pull' } = options;
  const credentials = endpoint.mirror ? undefined : options.credentials;
  let base: string | undefined;
  let authorization: string | undefined;

  return {
    endpoint,
    send: async ({
      path,
      method = 'GET',
      headers = {},
      body,
      expected,
      what,
      signal,
      retried = true,
      from,
    }) => {
      base ??= await settleScheme(endpoint, limits, signal);
      const own = new URL(typeof path === 'string' ? `${base}/v2/${repository}/${path}` : base);
      const once = () => {
        const signed = { ...headers, ...(authorization === undefined ? {} : { authorization }) };
        const request = { url: own, method, headers: signed, body, endpoint, limits, signal };
        return exchange(typeof path === 'string' ? request : redirected(request, path.href));
      };
      const send = () => (retried ? retrying(once, { limits, signal }) : once());
      let answer = await send();
      // Another host, that the registry sent us to, has no say in where credentials go.
      if (answer.status === 401 && answer.url.host === own.host) {
        // The first one of a conversation, a token that has run out, or one for less than this.
        const challenges = parseChallenges(answer.header('www-authenticate') ?? '');
        answer.discard();
        const scopes = [
          `repository:${repository}:${actions}`,
          ...(from === undefined ? [] : [`repository:${from}:pull`]),
        ];
        const found = await authorize({ challenges, endpoint, scopes, credentials, limits, signal });
        if (found === undefined) throw denied(what, own.host);
        authorization = found;
        answer = await send();
      }
      if (expected.includes(answer.status)) return answer;
      throw await refusal(answer, { what, host: own.host });
    },
  };
}

/** How long it is taken for granted that a registry which had no TLS has none, in milliseconds. */
const PLAIN_MS = 60_000;
/** Registries that had none, and when that was seen. */
const plain = new Map<string, number>();

/** Finds out which scheme an insecure registry speaks: TLS first, plain HTTP where no TLS is to be had. */
export async function settleScheme(
  endpoint: Endpoint,
  limits: RegistryLimits,
  signal: AbortSignal,
): Promise<string> {
  if (!endpoint.plainHttp) return endpoint.url;
  const url = new URL('/v2/', endpoint.url);
  const withoutTls = endpoint.url.replace(/^https:/, 'http:');
  if (performance.now() - (plain.get(endpoint.url) ?? Number.NEGATIVE_INFINITY) < PLAIN_MS) return withoutTls;
  try {
    (await exchange({ url, endpoint, limits, signal })).discard();
    return endpoint.url;
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'unavailable') throw error;
    plain.set(endpoint.url, performance.now());
    return withoutTls;
  }
}

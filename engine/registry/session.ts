import { BerthError } from '../api/errors.ts';
import { authorize, type Credentials, parseChallenges } from './auth.ts';
import { readBody } from './body.ts';
import { type Answer, exchange } from './http.ts';
import { retrying } from './retry.ts';
import type { Endpoint, RegistryLimits } from './settings.ts';

/** A conversation with one registry about one repository: it keeps the scheme and the token that worked. */
export type Session = {
  readonly endpoint: Endpoint;
  /**
   * Asks for a path below `/v2/<repository>/`. Gives answers of the statuses expected; throws `notFound`,
   * `unauthorized`, `unavailable` on others, in words.
   */
  readonly get: (request: {
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** Statuses that are no failure. */
    readonly expected: readonly number[];
    /** What is asked for, for messages: the reference as a person writes it. */
    readonly what: string;
    readonly signal: AbortSignal;
  }) => Promise<Answer>;
};

const MAX_ERROR_BYTES = 64 * 1024;

/** Opens a conversation. Nothing is sent before something is asked for. */
export function openSession(options: {
  readonly endpoint: Endpoint;
  readonly repository: string;
  readonly credentials: Credentials | undefined;
  readonly limits: RegistryLimits;
}): Session {
  const { endpoint, repository, limits } = options;
  const credentials = endpoint.mirror ? undefined : options.credentials;
  const scope = `repository:${repository}:pull`;
  let base: string | undefined;
  let authorization: string | undefined;

  return {
    endpoint,
    get: async ({ path, headers = {}, expected, what, signal }) => {
      base ??= await settleScheme(endpoint, limits, signal);
      const url = new URL(`${base}/v2/${repository}/${path}`);
      const send = () =>
        retrying(
          () =>
            exchange({
              url,
              headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) },
              endpoint,
              limits,
              signal,
            }),
          { limits, signal },
        );
      let answer = await send();
      if (answer.status === 401) {
        // The first one of a conversation, or a token that has run out.
        const challenges = parseChallenges(answer.header('www-authenticate') ?? '');
        answer.discard();
        const found = await authorize({ challenges, endpoint, scope, credentials, limits, signal });
        if (found === undefined) throw denied(what, url.host);
        authorization = found;
        answer = await send();
      }
      if (expected.includes(answer.status)) return answer;
      throw await refusal(answer, { what, host: url.host });
    },
  };
}

/** Finds out which scheme an insecure registry speaks: TLS first, plain HTTP where no TLS is to be had. */
async function settleScheme(
  endpoint: Endpoint,
  limits: RegistryLimits,
  signal: AbortSignal,
): Promise<string> {
  if (!endpoint.plainHttp) return endpoint.url;
  const url = new URL('/v2/', endpoint.url);
  try {
    (await exchange({ url, endpoint, limits, signal })).discard();
    return endpoint.url;
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'unavailable') throw error;
    return endpoint.url.replace(/^https:/, 'http:');
  }
}

function denied(what: string, host: string): BerthError {
  return new BerthError(
    'unauthorized',
    `access to ${what} denied: it does not exist, or ${host} wants a login`,
    {
      hint: `check the name; credentials are taken from ~/.docker/config.json, where docker login ${host} puts them`,
    },
  );
}

/** Puts an answer that is no success into words, with what the registry itself said. */
async function refusal(
  answer: Answer,
  { what, host }: { readonly what: string; readonly host: string },
): Promise<BerthError> {
  const { status } = answer;
  if (status === 401 || status === 403) {
    answer.discard();
    return denied(what, host);
  }
  const said = await registryWords(answer);
  if (status === 404) {
    return new BerthError('notFound', `no image ${what}: ${said ?? 'the registry does not know it'}`, {
      hint: 'check its name and tag',
    });
  }
  if (status === 429) {
    return new BerthError('unavailable', `${host} answers ${what} with too many requests`, {
      hint: 'wait a while, or log in: registries limit how much they serve to whom they do not know',
    });
  }
  return new BerthError(
    'unavailable',
    `${host} answered ${status} for ${what}${said === undefined ? '' : `: ${said}`}`,
    {
      hint: status >= 500 ? 'try again later' : 'check that this is the address of a registry',
    },
  );
}

/** What the errors in the answer say (distribution spec, "Error Codes"); undefined where they say nothing. */
async function registryWords(answer: Answer): Promise<string | undefined> {
  try {
    const body = await readBody(answer, { maxBytes: MAX_ERROR_BYTES, what: 'the registry' });
    const { errors } = JSON.parse(body.toString()) as { errors?: unknown };
    const first = Array.isArray(errors)
      ? (errors[0] as { code?: unknown; message?: unknown } | null)
      : undefined;
    const words = [first?.message, first?.code].find((value) => typeof value === 'string' && value !== '');
    // A hostile registry must not write to people's terminals.
    return typeof words === 'string'
      ? words
          .replace(/[^\x20-\x7e]+/g, ' ')
          .slice(0, 300)
          .toLowerCase()
      : undefined;
  } catch {
    // No JSON, too long, or cut off: the status says enough.
    return undefined;
  }
}

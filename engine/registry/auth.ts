import { BerthError } from '../api/errors.ts';
import { readBody } from './body.ts';
import { exchange } from './http.ts';
import type { Endpoint, RegistryLimits } from './settings.ts';

/** What a person has shown for a registry; as `X-Registry-Auth` carries it. */
export type Credentials = {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
};

/** One challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1). */
export type Challenge = { readonly scheme: string; readonly parameters: ReadonlyMap<string, string> };

/** An answer of a token service longer than this is not read. */
const MAX_TOKEN_BYTES = 256 * 1024;

/** Reads the challenges of a `WWW-Authenticate` header; what is malformed is left out. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const token = /\s*,?\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/y;
  for (let match = token.exec(header); match !== null; match = token.exec(header)) {
    const [, name = '', quoted, plain] = match;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
}

/**
 * Answers a challenge with the value of an `Authorization` header: Basic, or Bearer with a token fetched from
 * the service that the challenge names (distribution spec, "token authentication"). Undefined where there is
 * nothing to answer with. Throws `unauthorized` when the token service refuses, `unavailable` when it is away.
 */
export async function authorize(options: {
  readonly challenges: readonly Challenge[];
  readonly endpoint: Endpoint;
  /** `repository:library/ubuntu:pull`; where it is one for reading alone, what the challenge says stands over it. */
  readonly scopes: readonly string[];
  readonly credentials: Credentials | undefined;
  readonly limits: RegistryLimits;
  readonly signal: AbortSignal;
  /** Asks for a token that stands for name and password from then on, and is told the one that came. */
  readonly onRefreshToken?: (token: string) => void;
}): Promise<string | undefined> {
  const { challenges, credentials } = options;
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer !== undefined) {
    if (credentials?.registrytoken) return `Bearer ${credentials.registrytoken}`;
    return `Bearer ${await fetchToken(bearer, options)}`;
  }
  const basic = challenges.some(({ scheme }) => scheme === 'basic');
  return basic ? basicAuthorization(credentials) : undefined;
}

function basicAuthorization(credentials: Credentials | undefined): string | undefined {
  const { username, password = '' } = credentials ?? {};
  if (!username) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function fetchToken(challenge: Challenge, options: Parameters<typeof authorize>[0]): Promise<string> {
  const { endpoint, credentials, limits, signal } = options;
  const realm = challenge.parameters.get('realm') ?? '';
  const url = URL.parse(realm);
  const host = new URL(endpoint.url).host;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new BerthError('unavailable', `${host} names no usable token service: '${realm.slice(0, 200)}'`);
  }
  if (url.protocol === 'http:' && endpoint.tls === 'checked') {
    throw new BerthError('unavailable', `${host} wants credentials sent over plain HTTP, to ${url.host}`);
  }
  const service = challenge.parameters.get('service');
  const fields = new URLSearchParams(service === undefined ? {} : { service });
  const scopes = scopesOf(challenge.parameters.get('scope'), options.scopes);
  for (const scope of scopes) fields.append('scope', scope);
  // What is known of the registry's own certificate holds for its token service only where it is the same host.
  const to = { ...endpoint, ca: url.host === host ? endpoint.ca : undefined };
  const basic = basicAuthorization(credentials);
  if (options.onRefreshToken !== undefined) fields.append('offline_token', 'true');
  const answer = credentials?.identitytoken
    ? await exchange({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: { bytes: oauthForm(fields, credentials.identitytoken) },
        bound: true,
        endpoint: to,
        limits,
        signal,
      })
    : await exchange({
        url: new URL(`${url.pathname}?${new URLSearchParams([...url.searchParams, ...fields])}`, url),
        headers: basic === undefined ? {} : { authorization: basic },
        endpoint: to,
        limits,
        signal,
      });
  const body = await readBody(answer, { maxBytes: MAX_TOKEN_BYTES, what: `the token service ${url.host}` });
  if (answer.status === 401 || answer.status === 403 || answer.status === 400) {
    const what = scopes.length === 0 ? 'a token' : `a token for ${scopes.join(' ')}`;
    throw new BerthError('unauthorized', `${url.host} refuses ${what}`, { hint: `berth login ${host}` });
  }
  const { token, refreshToken } = tokensIn(body, answer.status, url.host);
  if (refreshToken !== undefined) options.onRefreshToken?.(refreshToken);
  return token;
}

function scopesOf(challenged: string | undefined, own: readonly string[]): readonly string[] {
  const asked = challenged?.split(' ').filter((scope) => scope !== '') ?? [];
  const reads = own.every((scope) => scope.endsWith(':pull'));
  return asked.length > 0 && reads ? asked : [...new Set([...own, ...asked])];
}

function oauthForm(fields: URLSearchParams, refreshToken: string): string {
  const form = new URLSearchParams(fields);
  // One field there, where a query has one for each.
  form.set('scope', fields.getAll('scope').join(' '));
  form.set('grant_type', 'refresh_token');
  form.set('client_id', 'berth');
  form.set('refresh_token', refreshToken);
  return form.toString();
}

function tokensIn(
  body: Buffer,
  status: number,
  host: string,
): { readonly token: string; readonly refreshToken: string | undefined } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString());
  } catch {
    // Falls through: what is no JSON has no token either.
  }
  const isToken = (value: unknown) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
  const answer = (parsed ?? {}) as Readonly<Record<string, unknown>>;
  const token = [answer.token, answer.access_token].find(isToken);
  const refreshToken = [answer.refresh_token].find(isToken) as string | undefined;
  if (status === 200 && typeof token === 'string') return { token, refreshToken };
  throw new BerthError('unavailable', `the token service ${host} answered ${status} without a token`, {
    hint: 'try again later',
  });
}

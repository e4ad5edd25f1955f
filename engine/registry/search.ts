import { BerthError } from '../api/errors.ts';
import type { Filters } from '../api/fields.ts';
import { splitSearchTerm } from '../api/reference.ts';
import type { SearchResult } from '../api/wire/registry.ts';
import type { Credentials } from './auth.ts';
import { readBody } from './body.ts';
import { exchange } from './http.ts';
import { parseJson } from './manifest.ts';
import { refusal } from './refusal.ts';
import { settleScheme } from './session.ts';
import { endpointsOf, type RegistryLimits, type RegistrySettings } from './settings.ts';

export type SearchRequest = {
  /** What to look for; `HOST/TERM` asks another registry than Docker Hub. */
  readonly term: string;
  readonly limit?: number | undefined;
  readonly filter?: Filters | undefined;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal;
};

/** The index of Docker Hub, another host than its registry. */
const HUB_INDEX = 'https://index.docker.io';
const DEFAULT_LIMIT = 25;
const MAX_ANSWER_BYTES = 4 * 2 ** 20;
const MAX_NAME = 255;
const MAX_DESCRIPTION = 4_096;

/**
 * Searches a registry with the first version of its protocol (`GET /v1/search?q=…&n=…`), the only one that has a
 * search; Docker Hub and some others still serve it. Throws `invalid` on a term or filter that makes no sense,
 * `unavailable`, `notFound` where the registry has no search.
 */
export async function search(
  { settings, limits }: { readonly settings: RegistrySettings; readonly limits: RegistryLimits },
  { term, limit = DEFAULT_LIMIT, filter = {}, credentials, signal }: SearchRequest,
): Promise<readonly SearchResult[]> {
  const { domain, words } = splitSearchTerm(term);
  const holds = readFilter(filter);
  const found = endpointsOf(domain, settings).find(({ mirror }) => !mirror);
  if (found === undefined) throw new BerthError('internal', `${domain} has no address`);
  const endpoint = domain === 'docker.io' ? { ...found, url: HUB_INDEX } : found;
  const base = await settleScheme(endpoint, limits, signal);
  const url = new URL(`/v1/search?${new URLSearchParams({ q: words, n: String(limit) })}`, base);
  const ask = (headers: Readonly<Record<string, string>>) =>
    exchange({ url, headers, endpoint, limits, signal });
  let answer = await ask({});
  const { username, password = '' } = credentials ?? {};
  if (answer.status === 401 && answer.url.host === url.host && username) {
    answer.discard();
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    answer = await ask({ authorization });
  }
  if (answer.status === 404) {
    answer.discard();
    throw new BerthError('notFound', `${domain} has no search`, {
      hint: 'most registries have none; Docker Hub has: berth search TERM',
    });
  }
  if (answer.status !== 200) throw await refusal(answer, { what: `the search for ${words}`, host: url.host });
  const what = `the search of ${domain}`;
  const { results } = parseJson(await readBody(answer, { maxBytes: MAX_ANSWER_BYTES, what }), what);
  if (!Array.isArray(results)) throw new BerthError('invalid', `${what} answered without results`);
  return results.flatMap(readResult).filter(holds).slice(0, limit);
}

/** Throws `invalid`, in dockerd's words, on an unknown filter or value. */
function readFilter(filter: Filters): (result: SearchResult) => boolean {
  const tests: ((result: SearchResult) => boolean)[] = [];
  for (const [name, values] of Object.entries(filter)) {
    for (const value of values) {
      const wrong = new BerthError('invalid', `invalid filter '${name}=[${value.slice(0, 100)}]'`);
      if (name === 'stars') {
        if (!/^\d{1,15}$/.test(value)) throw wrong;
        tests.push((result) => result.star_count >= Number(value));
      } else if (name === 'is-official' || name === 'is-automated') {
        if (value !== 'true' && value !== 'false') throw wrong;
        const key = name === 'is-official' ? 'is_official' : 'is_automated';
        tests.push((result) => result[key] === (value === 'true'));
      } else {
        throw new BerthError('invalid', `invalid filter '${name}'`, {
          hint: 'filter by stars, is-official or is-automated',
        });
      }
    }
  }
  return (result) => tests.every((test) => test(result));
}

function readResult(value: unknown): readonly SearchResult[] {
  if (typeof value !== 'object' || value === null) return [];
  const {
    name,
    description,
    star_count: stars,
    is_official,
    is_automated,
  } = value as Record<string, unknown>;
  if (typeof name !== 'string' || name === '') return [];
  return [
    {
      name: name.slice(0, MAX_NAME),
      description: typeof description === 'string' ? description.slice(0, MAX_DESCRIPTION) : '',
      star_count: typeof stars === 'number' && Number.isSafeInteger(stars) ? stars : 0,
      is_official: is_official === true,
      is_automated: is_automated === true,
    },
  ];
}

import { openRouter } from '../../../engine/server/router.ts';
import type { Asked, Difference, Notes } from '../api/recording.ts';
import type { Endpoint } from './endpoint.ts';
import { endpoints } from './names.ts';

/** What passing cases found out about one endpoint. Names as in `endpoint.ts`. */
export type Coverage = {
  /** Whether a request was answered with other than an error. */
  answered: boolean;
  /** Query keys, keys of filters, headers and fields of the body: sent and taken, refused by name, within what was. */
  readonly taken: Readonly<Record<Sent, Set<string>>>;
  readonly refused: Readonly<Record<Sent, Set<string>>>;
  readonly withinRefused: Readonly<Record<Sent, Set<string>>>;
  /** Fields of the answer: that were there, and that a case looked at. */
  readonly given: Set<string>;
  readonly read: Set<string>;
  readonly differences: Difference[];
};

export type Sent = 'query' | 'filters' | 'headers' | 'body';

const find = openRouter(
  endpoints.map((endpoint) => {
    const space = endpoint.route.indexOf(' ');
    return { method: endpoint.route.slice(0, space), path: endpoint.route.slice(space + 1), endpoint };
  }),
);

/** Sorts what the cases noted by endpoint; requests for others than the table's are left out. */
export function coverageOf(notes: readonly Notes[]): ReadonlyMap<Endpoint, Coverage> {
  const found = new Map(endpoints.map((endpoint) => [endpoint, nothing()]));
  const of = (line: string) => {
    const endpoint = endpointOf(line);
    return endpoint === undefined ? undefined : found.get(endpoint);
  };
  for (const { asked, differences } of notes) {
    for (const one of asked) addRequest(of(one.line), one);
    for (const { difference, last } of differences) {
      const about = of(difference.of ?? last?.line ?? '');
      if (about !== undefined && !about.differences.some(({ because }) => because === difference.because))
        about.differences.push(difference);
    }
  }
  return found;
}

function endpointOf(line: string): Endpoint | undefined {
  const [method = '', target = ''] = line.split(' ');
  const path = target.replace(/\?.*$/, '').replace(/^\/v[\d.]+(?=\/)/, '');
  try {
    return find(method, path)?.pattern.endpoint;
  } catch {
    // A broken %-escape, which a case sends on purpose.
    return undefined;
  }
}

function addRequest(coverage: Coverage | undefined, asked: Asked): void {
  if (coverage === undefined) return;
  const { status, refusal } = asked;
  const sent = sentWith(asked);
  if (status > 0 && status < 400) {
    coverage.answered = true;
    for (const [kind, names] of Object.entries(sent))
      for (const name of names) coverage.taken[kind as Sent].add(name);
    for (const name of asked.given) coverage.given.add(name);
    for (const name of asked.read) coverage.read.add(name);
  } else if (status === 409) {
    // A conflict is an answer too: the engine looked at what was asked of it.
    for (const name of sent.query) coverage.taken.query.add(name);
  } else if (status === 501 || /^\{"message":"invalid filter/.test(refusal)) {
    const message = String((parseObject(refusal) as { message?: string }).message).toLowerCase();
    for (const [kind, names] of Object.entries(sent)) {
      const named = names.filter((name) => message.includes(lastOf(name)));
      for (const name of named) coverage.refused[kind as Sent].add(name);
      for (const name of names)
        if (named.some((outer) => name.startsWith(`${outer}.`) || name.startsWith(`${outer}[`)))
          coverage.withinRefused[kind as Sent].add(name);
    }
  }
}

/** `mounts` of `HostConfig.Mounts`. */
const lastOf = (name: string) => (name.split('.').at(-1) ?? name).toLowerCase();

function sentWith({ line, headers, body }: Asked): Record<Sent, readonly string[]> {
  const query = new URLSearchParams(line.split('?')[1] ?? '');
  return {
    query: [...query.keys()],
    filters: Object.keys(parseObject(query.get('filters') ?? '{}')),
    headers: Object.keys(headers).map((name) => name.toLowerCase()),
    body: pathsOf(typeof body === 'string' ? parseObject(body) : body),
  };
}

function parseObject(text: string): object {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Paths of all that a value holds: `HostConfig.Mounts`, `HostConfig.Mounts[].Target`. Null says nothing. */
function pathsOf(value: unknown, path = ''): readonly string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, `${path}[]`));
  return Object.entries(value).flatMap(([name, inner]) => {
    if (inner === null || inner === undefined) return [];
    const inside = path === '' ? name : `${path}.${name}`;
    return [inside, ...pathsOf(inner, inside)];
  });
}

/** Whether a name of the table is among those that were seen; `*` in it stands for any key of a map. */
export function covers(seen: ReadonlySet<string>, name: string): boolean {
  if (!name.includes('*')) return seen.has(name);
  const pattern = new RegExp(`^${name.replace(/[.[\]]/g, '\\$&').replaceAll('*', '.+?')}$`);
  return [...seen].some((path) => pattern.test(path));
}

function nothing(): Coverage {
  const sets = () => ({
    query: new Set<string>(),
    filters: new Set<string>(),
    headers: new Set<string>(),
    body: new Set<string>(),
  });
  return {
    answered: false,
    taken: sets(),
    refused: sets(),
    withinRefused: sets(),
    given: new Set(),
    read: new Set(),
    differences: [],
  };
}

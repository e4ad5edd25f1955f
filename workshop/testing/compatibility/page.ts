import { type Operation, operations } from '../../../engine/api/operations.ts';
import { API_VERSION } from '../../../engine/api/versions.ts';
import type { Difference } from '../api/recording.ts';
import { type Coverage, covers, type Sent } from './coverage.ts';
import type { Endpoint } from './endpoint.ts';
import { readFields, topics } from './names.ts';

/** What the page says of a name. `uncovered`: the engine has it, and no case shows it. */
type Verdict = 'yes' | 'part' | 'no' | 'uncovered';
type Row = { readonly part: string; readonly verdicts: ReadonlyMap<string, Verdict> };

const remarks = { yes: '', no: '', part: ' (in part)', uncovered: ' (no case)' } as const;
const titles = { query: 'query', filters: 'filters', headers: 'headers', body: 'body' } as const;

/** docs/compatibility.md, from the table of names and from what the API suite found. */
export function compatibilityPage(coverage: ReadonlyMap<Endpoint, Coverage>): string {
  const sections = Object.entries(topics).map(([topic, endpoints]) =>
    [`## ${topic}`, ...endpoints.map((endpoint) => section(endpoint, found(coverage, endpoint)))].join(
      '\n\n',
    ),
  );
  return `${[head(), ...sections].join('\n\n')}\n`;
}

/** What the engine has by its own tables or answers and no case of the suite covers, as `endpoint part name`. */
export function uncovered(coverage: ReadonlyMap<Endpoint, Coverage>): readonly string[] {
  return [...coverage].flatMap(([endpoint, one]) => [
    ...(servedAs(endpoint) !== undefined && !one.answered ? [endpoint.route] : []),
    ...rowsOf(endpoint, one).flatMap(({ part, verdicts }) =>
      [...verdicts].flatMap(([name, verdict]) =>
        verdict === 'uncovered' ? [`${endpoint.route}: ${part} ${name}`] : [],
      ),
    ),
  ]);
}

function head(): string {
  return `# Compatibility with the Engine API ${API_VERSION}

Written by the [API suite](../workshop/testing/api) as it runs on this engine, from a [table of the names](../workshop/testing/compatibility) that the [reference](https://docs.docker.com/reference/api/engine/version/v${API_VERSION}/) has: \`UPDATE_SNAPSHOTS=1 node --test --test-name-pattern='of berth|compatibility' engine/server/api.test.ts\`. [What of the Engine API is served](api.md) is the short page.

**Yes**: a case that passes sends it and it is taken, or finds it in an answer and looks at it. **In part**: some values are refused by name. **No**: refused by name (501) in a body, left out of an answer, ignored in a query as any key that nobody knows. Where dockerd 20.10, which the same cases run on, answers something else, it stands under the endpoint.`;
}

function section(endpoint: Endpoint, coverage: Coverage): string {
  const served = servedAs(endpoint) !== undefined;
  const title = `### ${endpoint.route}`;
  if (!served) return `${title}\n\nNo.`;
  const rows = rowsOf(endpoint, coverage).map(({ part, verdicts }) => {
    const cell = (...wanted: readonly Verdict[]) =>
      [...verdicts]
        .filter(([, verdict]) => wanted.includes(verdict))
        .map(
          ([name, verdict]) =>
            `\`${name.replace('?', '')}\`${remarks[verdict]}${name.endsWith('?') ? ' (cgroup v1)' : ''}`,
        )
        .join(' ');
    return `| ${part} | ${cell('yes', 'part', 'uncovered')} | ${cell('no')} |`;
  });
  const table = rows.length === 0 ? [] : [['| | yes | no |', '| --- | --- | --- |', ...rows].join('\n')];
  const differences = coverage.differences.map(difference);
  return [title, 'Yes.', ...table, ...(differences.length === 0 ? [] : [differences.join('\n')])].join(
    '\n\n',
  );
}

function difference({ berth, dockerd, because }: Difference): string {
  const plain = [berth, dockerd].every((value) => ['string', 'number', 'boolean'].includes(typeof value));
  return plain ? `- differs: \`${berth}\`, dockerd \`${dockerd}\`: ${because}` : `- differs: ${because}`;
}

function rowsOf(endpoint: Endpoint, coverage: Coverage): readonly Row[] {
  const operation = servedAs(endpoint);
  if (operation === undefined) return [];
  const sent = (Object.keys(titles) as Sent[]).flatMap((kind) => {
    const verdict = (name: string): Verdict => {
      const key = kind === 'headers' ? name.toLowerCase() : name;
      if (kind === 'query' && !readsQuery(operation, name)) return 'no';
      const refused = covers(coverage.refused[kind], key);
      if (covers(coverage.taken[kind], key)) return refused && kind === 'body' ? 'part' : 'yes';
      return refused || covers(coverage.withinRefused[kind], key) ? 'no' : 'uncovered';
    };
    return grouped(titles[kind], readFields(endpoint[kind] ?? ''), verdict);
  });
  const answer = grouped('answer', readFields(endpoint.answer ?? ''), (text) => {
    const name = text.replace('?', '');
    if (!covers(coverage.given, name)) return text === name ? 'no' : 'yes';
    return covers(coverage.read, name) ? 'yes' : 'uncovered';
  });
  return [...sent, ...answer];
}

/** A row for each object that holds fields: `body`, `body HostConfig`, `body HostConfig.Mounts[]`. */
function grouped(part: string, names: readonly string[], verdict: (name: string) => Verdict): readonly Row[] {
  const rows = new Map<string, Map<string, Verdict>>();
  for (const name of names) {
    const dot = name.lastIndexOf('.');
    const title = dot < 0 ? part : `${part} \`${name.slice(0, dot)}\``;
    const row = rows.get(title) ?? new Map<string, Verdict>();
    row.set(name.slice(dot + 1), verdict(name));
    rows.set(title, row);
  }
  return [...rows].map(([title, verdicts]) => ({ part: title, verdicts }));
}

function found(coverage: ReadonlyMap<Endpoint, Coverage>, endpoint: Endpoint): Coverage {
  const one = coverage.get(endpoint);
  if (one === undefined) throw new Error(`${endpoint.route} is not in the coverage`);
  return one;
}

function servedAs({ route }: Endpoint): Operation | undefined {
  // Ping answers HEAD too, which the table of operations has no row for.
  const wanted = route === 'HEAD /_ping' ? 'GET /_ping' : route;
  return Object.values(operations).find(
    (operation: Operation) => `${operation.method} ${operation.path}` === wanted,
  );
}

/** Whether the engine looks at a key of the query: it stands in the operations table. */
function readsQuery(operation: Operation, key: string): boolean {
  return Object.entries(operation.query).some(([name, field]) => (field.wire ?? name) === key);
}

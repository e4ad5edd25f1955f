import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/**
 * Holds the direction of imports, so that the folder map keeps telling the architecture (docs/architecture.md).
 * Types count too: a module that knows another's types knows the other.
 */

/** The folders of `engine/`, lowest first. A folder imports from rows before its own, and from itself. */
const ENGINE_ROWS: readonly (readonly string[])[] = [
  ['api'],
  ['tar'],
  ['client', 'state'],
  ['host', 'events'],
  ['content', 'registry', 'layers', 'archives', 'runtime'],
  ['images', 'networks', 'volumes'],
  ['containers', 'builder', 'services', 'distribution'],
  ['server'],
  ['daemon'],
];
/** What only front ends import: the engine does not call itself over its own socket. */
const FRONT_END_ROW = 'client';
const FRONT_ENDS: readonly string[] = ['cli', 'tui', 'mcp'];
// Archives cross the wire as JSON does: both sides read and write them.
const FRONT_ENDS_MAY: readonly string[] = ['engine/api', 'engine/tar', 'engine/client'];

/** For the version. */
const MANIFEST = 'package.json';

/** Packages that belong to one place; the rest of the code reaches what they do through it. */
const PACKAGE_PLACES: readonly { readonly package: RegExp; readonly places: readonly string[] }[] = [
  { package: /^koffi$/, places: ['engine/host'] },
  { package: /^execa$/, places: ['engine/host'] },
  // The runtime starts conmon and socat, which stay, and passes descriptors on to them.
  {
    package: /^node:child_process$/,
    places: ['engine/host', 'engine/runtime', 'engine/client', ...FRONT_ENDS],
  },
  // The daemon's lock on its root is SQLite's.
  { package: /^node:sqlite$/, places: ['engine/state', 'engine/daemon'] },
  { package: /^(?:ink|react)(?:\/|$)/, places: ['tui'] },
  { package: /^@modelcontextprotocol\//, places: ['mcp'] },
  { package: /^meow$/, places: ['cli'] },
];

export type Import = { readonly from: string; readonly specifier: string; readonly line: number };
export type Violation = { readonly from: string; readonly line: number; readonly why: string };

const STATEMENT = /^[ \t]*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g;

/** The imports of a module: static, dynamic and re-exports. `from` is its path below the project's root. */
export function findImports(from: string, source: string): readonly Import[] {
  return [STATEMENT, DYNAMIC].flatMap((pattern) =>
    [...source.matchAll(pattern)].map((match) => ({
      from,
      specifier: match[1] ?? '',
      line: source.slice(0, match.index + match[0].length).split('\n').length,
    })),
  );
}

/** The module that an import names, below the project's root; undefined for a package. */
function target({ from, specifier }: Import): string | undefined {
  return specifier.startsWith('.') ? normalize(join(dirname(from), specifier)) : undefined;
}

/** `engine/<folder>` or the top folder of a module. */
function place(module: string): string {
  const [top = '', folder = ''] = module.split('/');
  return top === 'engine' ? `engine/${folder}` : top;
}

/** Tests, and what stands in a folder `testing/` for them. */
const isTest = (module: string): boolean => /\.test\.tsx?$|\/testing\//.test(module);
const isForTests = (module: string): boolean => module.includes('/testing/');

function engineRow(folder: string): number {
  return ENGINE_ROWS.findIndex((row) => row.includes(folder));
}

function whyModuleForbidden(from: string, to: string): string | undefined {
  const here = place(from);
  const there = place(to);
  if (here === 'workshop' || to === MANIFEST) return undefined;
  if (isForTests(to)) return isTest(from) ? undefined : `only tests import ${dirname(to)}`;
  if (here === there) return undefined;
  if (there === 'workshop') return 'of the workshop only workshop/testing is imported';
  if (FRONT_ENDS.includes(here)) {
    if (FRONT_ENDS_MAY.includes(there)) return undefined;
    return `${here} imports only ${FRONT_ENDS_MAY.join(' and ')}`;
  }
  if (!there.startsWith('engine/')) return `${here} does not import a front end`;
  const [from_, to_] = [here.slice('engine/'.length), there.slice('engine/'.length)];
  const [rowHere, rowThere] = [engineRow(from_), engineRow(to_)];
  if (rowHere < 0 || rowThere < 0)
    return `engine/${rowHere < 0 ? from_ : to_} has no row in workshop/imports.ts`;
  if (to_ === FRONT_END_ROW) return isTest(from) ? undefined : 'engine/client is for front ends';
  if (rowThere < rowHere) return undefined;
  return `engine/${from_} does not import engine/${to_}: imports go from daemon down to api`;
}

function whyPackageForbidden(from: string, specifier: string): string | undefined {
  if (isTest(from) || place(from) === 'workshop') return undefined;
  for (const { package: name, places } of PACKAGE_PLACES) {
    if (name.test(specifier) && !places.includes(place(from)))
      return `${specifier} belongs to ${places.join(', ')}`;
  }
  return undefined;
}

/** The imports that go the wrong way. */
export function findViolations(imports: readonly Import[]): readonly Violation[] {
  return imports.flatMap((one) => {
    const to = target(one);
    const why =
      to === undefined ? whyPackageForbidden(one.from, one.specifier) : whyModuleForbidden(one.from, to);
    return why === undefined ? [] : [{ from: one.from, line: one.line, why }];
  });
}

/** One cycle of modules, as the path that comes back to its start, for each knot of modules that has one. */
export function findCycles(imports: readonly Import[]): readonly (readonly string[])[] {
  const edges = new Map<string, string[]>();
  for (const one of imports) {
    const to = target(one);
    if (to === undefined) continue;
    const list = edges.get(one.from);
    if (list) list.push(to);
    else edges.set(one.from, [to]);
  }
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (module: string, path: readonly string[]): void => {
    const start = path.indexOf(module);
    if (start >= 0) {
      cycles.push([...path.slice(start), module]);
      return;
    }
    if (done.has(module)) return;
    for (const next of edges.get(module) ?? []) visit(next, [...path, module]);
    done.add(module);
  };
  for (const module of edges.keys()) visit(module, []);
  return cycles;
}

/** Reads the modules given (paths below `root`) and says what is wrong, a line each. */
export function checkImports(root: string, modules: readonly string[]): readonly string[] {
  const imports = modules.flatMap((module) => findImports(module, readFileSync(join(root, module), 'utf8')));
  return [
    ...findViolations(imports).map(({ from, line, why }) => `${from}:${line}: ${why}`),
    ...findCycles(imports).map((cycle) => `a cycle: ${cycle.join(' → ')}`),
  ];
}

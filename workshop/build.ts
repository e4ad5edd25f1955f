import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { type BuildOptions, build, type OutputFile, type Plugin } from 'esbuild';

/**
 * Bundles what users run into `dist/`: one file for each program.
 * Why bundles: Node strips types from `.ts` but not from `.tsx`, and one file starts three times as fast as its
 * modules do (docs/decisions/0050).
 */

const ROOT = resolve(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
};

type Program = {
  readonly name: string;
  readonly entry: string;
  /** An ES module where nothing is said. */
  readonly format?: 'cjs';
};

const PROGRAMS: readonly Program[] = [
  // In two files: the first turns the compile cache on, out of which the second is then loaded.
  { name: 'berth', entry: 'cli/main.ts' },
  { name: 'commands', entry: 'cli/dispatch.ts', format: 'cjs' },
  { name: 'ui', entry: 'tui/main.tsx' },
  { name: 'mcp', entry: 'mcp/main.ts' },
  { name: 'engine', entry: 'engine/daemon/main.ts', format: 'cjs' },
  { name: 'layer-worker', entry: 'engine/layers/worker.ts', format: 'cjs' },
  { name: 'archive-worker', entry: 'engine/archives/worker.ts', format: 'cjs' },
  { name: 'dns-worker', entry: 'engine/networks/dns/worker.ts', format: 'cjs' },
  { name: 'ports-worker', entry: 'engine/networks/ports/worker.ts', format: 'cjs' },
];

/** Ink loads React's developer tools where `DEV=true`; they are neither installed nor wanted in a bundle. */
const withoutDevtools: Plugin = {
  name: 'without-devtools',
  setup(bundle) {
    bundle.onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'absent' }));
    bundle.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'export default {};' }));
  },
};

/** Dependencies written as CommonJS call `require`, which an ES module does not have. */
const REQUIRE_FOR_COMMONJS =
  "import { createRequire as berthRequire } from 'node:module'; const require = berthRequire(import.meta.url);";

/** There is no `import.meta` in CommonJS. */
const AS_COMMONJS: BuildOptions = {
  outExtension: { '.js': '.cjs' },
  banner: { js: "const berthBundle = require('node:url').pathToFileURL(__filename).href;" },
};

const fileOf = ({ name, format }: Program) => `${name}.${format ?? 'js'}`;

function bundleOptions(program: Program): BuildOptions {
  const { format = 'esm' } = program;
  return {
    absWorkingDir: ROOT,
    entryPoints: { [program.name]: program.entry },
    outdir: DIST,
    bundle: true,
    write: false,
    jsx: 'automatic',
    format,
    ...(format === 'esm' ? { banner: { js: REQUIRE_FOR_COMMONJS } } : AS_COMMONJS),
    platform: 'node',
    target: 'node26',
    // Names stay whole: a stack trace must be readable.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    define: {
      'process.env.NODE_ENV': '"production"',
      'process.env.DEV': '"false"',
      BERTH_VERSION: JSON.stringify(VERSION),
      ...(format === 'cjs' ? { 'import.meta.url': 'berthBundle' } : {}),
    },
    // koffi finds its native half beside its own package.
    external: ['koffi'],
    plugins: [withoutDevtools],
    logLevel: 'silent',
  };
}

/** Writes a bundle's files whole: whoever starts the program meanwhile gets the old one or the new one. */
async function writeOutput(files: readonly OutputFile[]): Promise<void> {
  for (const file of files) {
    const old = await readFile(file.path).catch(() => undefined);
    if (old !== undefined && Buffer.compare(old, file.contents) === 0) continue;
    await mkdir(resolve(file.path, '..'), { recursive: true });
    const temporary = `${file.path}.${process.pid}`;
    await writeFile(temporary, file.contents);
    await rename(temporary, file.path);
  }
}

async function buildProgram(program: Program): Promise<void> {
  const { outputFiles = [] } = await build(bundleOptions(program));
  await writeOutput(outputFiles);
}

const wanted = argv.slice(2);
const unknown = wanted.filter((name) => !PROGRAMS.some((program) => program.name === name));
if (unknown.length > 0) {
  stderr.write(`no program named ${unknown.join(', ')}: ${PROGRAMS.map(({ name }) => name).join(', ')}\n`);
  exit(2);
}
const startedMs = performance.now();
const programs = PROGRAMS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const results = await Promise.allSettled(programs.map(buildProgram));
for (const [index, result] of results.entries()) {
  if (result.status === 'rejected') stderr.write(`${programs[index]?.entry}: ${result.reason}\n`);
}
if (results.some((result) => result.status === 'rejected')) exit(1);
const names = programs.map(fileOf).join(' ');
stdout.write(`built ${names} in ${Math.round(performance.now() - startedMs)} ms\n`);

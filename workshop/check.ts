import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { stdout } from 'node:process';
import { checkImports } from './imports.ts';
import { checkSizes } from './sizes.ts';
import { ROOT, sourceModules } from './sources.ts';

/** `npm run check`: types, lint and format, unused code, direction of imports, module sizes; side by side. */

export type CheckResult = {
  readonly name: string;
  readonly passed: boolean;
  /** What the check has to say: errors, or notes where it passed. */
  readonly output: string;
  readonly tookMs: number;
};

async function runTool(
  program: string,
  args: readonly string[],
): Promise<Omit<CheckResult, 'name' | 'tookMs'>> {
  const child = spawn(join(ROOT, 'node_modules/.bin', program), args, { cwd: ROOT });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  const output = Buffer.concat(chunks).toString('utf8').trim();
  return { passed: code === 0, output: code === 0 ? '' : output };
}

const CHECKS: Readonly<Record<string, () => Promise<Omit<CheckResult, 'name' | 'tookMs'>>>> = {
  types: () => runTool('tsc', ['-p', '.', '--pretty', 'false']),
  'lint and format': () => runTool('biome', ['ci', '--colors=off', '--error-on-warnings', '.']),
  'unused code': () => runTool('knip', ['--no-progress']),
  imports: async () => {
    const errors = checkImports(ROOT, sourceModules());
    return { passed: errors.length === 0, output: errors.join('\n') };
  },
  'module sizes': async () => {
    const { errors, notes } = checkSizes(ROOT, sourceModules());
    return { passed: errors.length === 0, output: errors.length > 0 ? errors.join('\n') : notes.join('\n') };
  },
};

/** Runs every check. */
export async function runChecks(): Promise<readonly CheckResult[]> {
  return await Promise.all(
    Object.entries(CHECKS).map(async ([name, check]) => {
      const startedMs = performance.now();
      const result = await check();
      return { name, ...result, tookMs: performance.now() - startedMs };
    }),
  );
}

/** Prints the checks, a line each; what they have to say below. */
export function printChecks(results: readonly CheckResult[]): void {
  for (const { name, passed, output, tookMs } of results) {
    stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${name} (${(tookMs / 1000).toFixed(1)} s)\n`);
    if (output) stdout.write(`${output.replace(/^/gm, '       ')}\n`);
  }
}

if (import.meta.main) {
  const results = await runChecks();
  printChecks(results);
  process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
}

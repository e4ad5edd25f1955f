import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { argv, stdout } from 'node:process';
import { printChecks, runChecks } from './check.ts';
import { findLeftovers, recordMachine, removeLeftovers } from './leftovers.ts';
import { testFiles } from './sources.ts';
import { type FileResult, runTestFile } from './test-file.ts';

/**
 * `npm test`: the checks, then every `*.test.ts` in a process of its own, several side by side, then a look at what
 * they left behind. Words after it choose files by their path: `npm test -- engine/registry cli`.
 * The last line is `N passed, N failed`; each check and «nothing is left behind» count as a test.
 */

/** Names this run on the machine; short, for it goes into names of interfaces (workshop/testing/temp.ts). */
const run = randomBytes(4).readUInt32BE().toString(36).padStart(6, '0').slice(-6);
/** Tests mostly wait, for programs and for the kernel: one more than there are processors keeps these busy. */
const CONCURRENCY = availableParallelism() + 1;

/** Files of minutes: they begin first, so that none of them is what the others' workers wait for at the end. */
const LONGEST = [
  'engine/daemon/steps',
  'engine/server/api',
  'cli/behaviours',
  'cli/dockerd',
  'cli/as-docker',
  'cli/podman',
];

const words = argv.slice(2);
let passed = 0;
let failed = 0;
const count = (result: boolean) => {
  if (result) passed += 1;
  else failed += 1;
};

function printFile({ file, outcomes, trouble, tookMs }: FileResult): void {
  const number = (kind: string) => outcomes.filter(({ outcome }) => outcome === kind).length;
  const numbers = (['passed', 'failed', 'skipped'] as const)
    .filter((kind) => number(kind) > 0)
    .map((kind) => `${number(kind)} ${kind}`);
  const word = trouble !== undefined || number('failed') > 0 ? 'FAILED' : 'ok    ';
  const facts = [...numbers, ...(trouble === undefined ? [] : [trouble]), `${(tookMs / 1000).toFixed(1)} s`];
  stdout.write(`${word} ${file} (${facts.join(', ')})\n`);
}

/** A heading, and text below it that is set in. */
function printBlock(heading: string, text: string): void {
  stdout.write(`\n${heading}\n${text ? `${text.replace(/^(?=.)/gm, '    ')}\n` : ''}`);
}

function printFailures({ file, outcomes, trouble, output }: FileResult): void {
  const failures = outcomes.filter(({ outcome }) => outcome === 'failed');
  for (const { name, why } of failures)
    printBlock(`FAILED ${file}: ${name}`, why ?? 'a test within it failed');
  if (trouble !== undefined) printBlock(`FAILED ${file}`, trouble);
  if (output && (failures.length > 0 || trouble !== undefined)) printBlock(`What ${file} printed`, output);
}

function printSkipped(results: readonly FileResult[]): void {
  const reasons = Map.groupBy(
    results.flatMap(({ outcomes }) => outcomes.filter(({ outcome }) => outcome === 'skipped')),
    ({ why }) => why ?? '',
  );
  for (const [why, tests] of reasons) {
    stdout.write(`skipped ${tests.length}: ${why === 'true' || why === '' ? 'no reason given' : why}\n`);
  }
}

/** The place of a file in the order that they begin in; files of one rank keep theirs. */
function rank(file: string): number {
  const place = LONGEST.findIndex((name) => file.startsWith(`${name}.test.`));
  return place === -1 ? LONGEST.length : place;
}

async function runFiles(files: readonly string[], signal: AbortSignal): Promise<readonly FileResult[]> {
  const results: FileResult[] = [];
  const waiting = files.toSorted((one, other) => rank(one) - rank(other));
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined && !signal.aborted; file = waiting.shift()) {
      const result = await runTestFile(file, { run, signal });
      printFile(result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return results;
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => interrupted.abort(new Error(signal)));
}

const startedMs = performance.now();
const before = recordMachine();
const checks = words.length === 0 ? await runChecks() : [];
printChecks(checks);
for (const check of checks) count(check.passed);

const files = testFiles(words);
if (files.length === 0) {
  stdout.write(`no test file has ${words.join(' or ')} in its path\n`);
  count(false);
}
const results = await runFiles(files, interrupted.signal);
for (const { outcomes, trouble } of results) {
  for (const { outcome } of outcomes) if (outcome !== 'skipped') count(outcome === 'passed');
  if (trouble !== undefined) count(false);
}
for (const result of results) printFailures(result);

const leftovers = await findLeftovers({ run, before });
count(leftovers.length === 0);
if (leftovers.length > 0) {
  printBlock('FAILED: tests left behind', leftovers.map(({ kind, what }) => `${kind} ${what}`).join('\n'));
  await removeLeftovers(leftovers);
}
if (interrupted.signal.aborted) {
  stdout.write(`\ninterrupted: ${files.length - results.length} files did not run\n`);
  count(false);
}
stdout.write('\n');
printSkipped(results);
stdout.write(`${files.length} files in ${Math.round((performance.now() - startedMs) / 1000)} s\n`);
stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

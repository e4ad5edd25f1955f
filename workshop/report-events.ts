import { writeSync } from 'node:fs';
import type { TestEvent as NodeTestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

/**
 * A reporter for node:test that says over file descriptor 3 how each test ended, a line of JSON each.
 * A descriptor of its own, because tests and the programs they start write to stdout and stderr as they like.
 */

export type TestOutcome = {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** The test's name, after those of the suites and tests that it is in. */
  readonly name: string;
  readonly tookMs: number;
  /** Why it was skipped, or how it failed. Missing where only tests within it failed. */
  readonly why?: string;
};

const MAX_WHY_LINES = 40;

/** Node's ERR_TEST_FAILURE: it failed because a test within it did. */
const onlyWithin = (error: Error & { readonly failureType?: string }): boolean =>
  error.failureType === 'subtestsFailed';

function whyFailed(error: Error): string | undefined {
  if (onlyWithin(error)) return undefined;
  const cause = error.cause ?? error;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause);
  // Node's own frames say nothing about the test.
  const lines = text.split('\n').filter((line) => !/^\s+at .*\(?node:/.test(line));
  const deeper =
    cause instanceof Error && cause.cause !== undefined ? [`cause: ${inspect(cause.cause)}`] : [];
  return [...lines, ...deeper].slice(0, MAX_WHY_LINES).join('\n');
}

export default async function* reportEvents(events: AsyncIterable<NodeTestEvent>): AsyncGenerator<string> {
  const names: string[] = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') names.splice(data.nesting, Number.POSITIVE_INFINITY, data.name);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // A suite is no test of its own, but its hooks can fail.
    if (data.details.type === 'suite' && (type === 'test:pass' || onlyWithin(data.details.error))) continue;
    const optional = data.skip !== undefined || data.todo !== undefined;
    const skipped = optional ? String(data.skip ?? data.todo) : undefined;
    const why = type === 'test:fail' ? whyFailed(data.details.error) : undefined;
    const outcome: TestOutcome = {
      outcome: optional ? 'skipped' : type === 'test:pass' ? 'passed' : 'failed',
      name: [...names.slice(0, data.nesting), data.name].join(' › '),
      tookMs: data.details.duration_ms,
      ...((skipped ?? why) === undefined ? {} : { why: skipped ?? why }),
    };
    writeSync(3, `${JSON.stringify(outcome)}\n`);
    yield '';
  }
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A module is looked at again at this many lines… */
export const LOOK_AGAIN_LINES = 250;
/** …and from here on has a reason. */
export const REASON_LINES = 400;

/** Modules that may be longer, and why. */
const REASONS: Readonly<Record<string, string>> = {};

export type SizeReport = { readonly errors: readonly string[]; readonly notes: readonly string[] };

/** Judges modules by their lines. */
export function judgeSizes(
  sizes: readonly { readonly module: string; readonly lines: number }[],
  reasons: Readonly<Record<string, string>> = REASONS,
): SizeReport {
  const longest = sizes.toSorted((a, b) => b.lines - a.lines);
  const needReason = longest.filter(({ lines }) => lines > REASON_LINES);
  return {
    errors: [
      ...needReason
        .filter(({ module }) => reasons[module] === undefined)
        .map(
          ({ module, lines }) => `${module}: ${lines} lines; split it, or give a reason in workshop/sizes.ts`,
        ),
      ...Object.keys(reasons)
        .filter((module) => !needReason.some((one) => one.module === module))
        .map((module) => `${module}: no reason needed any more; take it out of workshop/sizes.ts`),
    ],
    notes: longest
      .filter(({ lines }) => lines > LOOK_AGAIN_LINES)
      .map(({ module, lines }) => `${module}: ${lines} lines`),
  };
}

/** Reads the modules given (paths below `root`) and judges them. Tests may be long: they are lists. */
export function checkSizes(root: string, modules: readonly string[]): SizeReport {
  const sizes = modules
    .filter((module) => !/\.test\.tsx?$/.test(module))
    .map((module) => ({ module, lines: readFileSync(join(root, module), 'utf8').split('\n').length - 1 }));
  return judgeSizes(sizes);
}

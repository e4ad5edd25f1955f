import { globSync } from 'node:fs';
import { resolve } from 'node:path';

/** The project's root. */
export const ROOT = resolve(import.meta.dirname, '..');

const FOLDERS = '{cli,tui,mcp,engine,workshop}';

/** Every TypeScript module of the project, as paths below the root, in order. */
export function sourceModules(): readonly string[] {
  return globSync(`${FOLDERS}/**/*.{ts,tsx}`, { cwd: ROOT }).toSorted();
}

/** Every test file whose path contains one of the words given; all of them where none is given. */
export function testFiles(words: readonly string[] = []): readonly string[] {
  return sourceModules()
    .filter((module) => /\.test\.tsx?$/.test(module))
    .filter((module) => words.length === 0 || words.some((word) => module.includes(word)));
}

import type { Entry } from './entry.ts';

/**
 * Keeps the entries that hold every word of the filter in one of their cells or at the start of their id;
 * a word after `!` must not occur. Upper and lower case are one.
 */
export function filterEntries(entries: readonly Entry[], filter: string): readonly Entry[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== '!');
  if (words.length === 0) return entries;
  return entries.filter((entry) => {
    const cells = entry.cells.map((cell) => cell.toLowerCase());
    const id = entry.key.replace(/^sha256:/, '');
    const holds = (word: string) => id.startsWith(word) || cells.some((cell) => cell.includes(word));
    return words.every((word) => (word.startsWith('!') ? !holds(word.slice(1)) : holds(word)));
  });
}

import { widthOf, wrap } from '../text/cells.ts';
import { cleanText } from '../text/clean.ts';

/** A line of the details: what it is, and what it says. */
export type Fact = readonly [name: string, value: string];

const GAP = 2;
const MAX_NAME = 40;

/** Facts as lines of at most `width` cells: names in one column, long values going on below themselves. */
export function formatFacts(facts: readonly Fact[], width: number): readonly string[] {
  const clean = facts.map(([name, value]) => [cleanText(name), cleanText(value)] as const);
  const widest = Math.max(0, ...clean.map(([name]) => widthOf(name)));
  const column = Math.min(widest, MAX_NAME, Math.floor(width / 2));
  return clean.flatMap(([name, value]) => {
    const room = Math.max(1, width - column - GAP);
    const fitsBeside = widthOf(name) <= column;
    const lines = wrap(value, room).map((line) => ' '.repeat(column + GAP) + line);
    if (!fitsBeside) return [...wrap(name, width), ...lines];
    const [first = '', ...rest] = lines;
    return [`${name}${' '.repeat(column - widthOf(name))}${first.slice(column)}`, ...rest];
  });
}

import { clip } from './budget.ts';

const MAX_CELL = 80;

/**
 * Rows as lines with tabs between the cells, the column names first: a third of the tokens of JSON, and no
 * padding to pay for. Cells are cut at 80 characters and never break the row they stand in.
 */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = rows.map((row) => row.map((cell) => clip(cell.replace(/\s+/g, ' '), MAX_CELL)).join('\t'));
  return [columns.join('\t'), ...lines].join('\n');
}

/** `key: value` lines; those without a value are left out. */
export function facts(pairs: readonly (readonly [string, string | number | undefined])[]): string {
  return pairs
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n');
}

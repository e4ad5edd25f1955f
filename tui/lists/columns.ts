import { fit, widthOf } from '../text/cells.ts';

export type Column = {
  readonly title: string;
  /** Cells that it keeps when there is little room. */
  readonly min: number;
  /** Cells that it never goes beyond. */
  readonly max: number;
  /** The lowest goes first when there is no room for all. */
  readonly priority: number;
};

const GAP = 2;

/**
 * How wide each column is, in cells; 0 for one that has no room. Every column gets what its widest value
 * needs, as far as there is room; then empty columns go, the others give up cells, and at last whole columns go.
 */
export function layoutColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly number[] {
  const wanted = columns.map((column, index) => {
    let widest = widthOf(column.title);
    for (const row of rows) widest = Math.max(widest, widthOf(row[index] ?? ''));
    return Math.min(widest, column.max);
  });
  const shown = new Set(columns.keys());
  const least = (index: number) => Math.min(wanted[index] ?? 0, columns[index]?.min ?? 0);
  const total = (widthAt: (index: number) => number) =>
    [...shown].reduce((sum, index) => sum + widthAt(index), 0) + GAP * (shown.size - 1);
  const isEmpty = (index: number) => rows.length > 0 && rows.every((row) => (row[index] ?? '') === '');
  if (total((index) => wanted[index] ?? 0) > width) {
    for (const index of columns.keys()) if (isEmpty(index)) shown.delete(index);
  }
  while (shown.size > 1 && total(least) > width) {
    const [first] = [...shown].sort((a, b) => (columns[a]?.priority ?? 0) - (columns[b]?.priority ?? 0));
    shown.delete(first ?? 0);
  }
  const widths = columns.map((_column, index) => (shown.has(index) ? (wanted[index] ?? 0) : 0));
  let excess = total((index) => widths[index] ?? 0) - width;
  const givers = [...shown].sort((a, b) => (columns[a]?.priority ?? 0) - (columns[b]?.priority ?? 0));
  for (const index of givers) {
    if (excess <= 0) break;
    const given = Math.min(excess, (widths[index] ?? 0) - least(index));
    widths[index] = (widths[index] ?? 0) - given;
    excess -= given;
  }
  return widths;
}

/** One line of a table. */
export function formatRow(cells: readonly string[], widths: readonly number[]): string {
  return widths
    .map((width, index) => (width === 0 ? undefined : fit(cells[index] ?? '', width)))
    .filter((cell) => cell !== undefined)
    .join(' '.repeat(GAP));
}

/** Docker's table (Go's tabwriter with these numbers): cells are that wide at least, and that far apart. */
const LEAST_WIDTH = 10;
const PADDING = 3;
/** Text of which every character is known to be one cell wide. */
const NARROW = /^[\x20-\x7e…]*$/;

/**
 * Lays rows out in columns, by what a terminal shows and not by characters. The last column is not padded.
 * `paint` colours a cell after its width is known.
 */
export async function layOut(
  rows: readonly (readonly string[])[],
  paint: (cell: string, row: number, column: number) => string = (cell) => cell,
): Promise<readonly string[]> {
  const width = rows.every((row) => row.every((cell) => NARROW.test(cell)))
    ? (cell: string) => cell.length
    : (await import('string-width')).default;
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? LEAST_WIDTH, width(cell) + PADDING);
  return rows.map((row, index) =>
    row
      .map((cell, column) => {
        const painted = paint(cell, index, column);
        return column === row.length - 1
          ? painted
          : painted + ' '.repeat((widths[column] ?? 0) - width(cell));
      })
      .join(''),
  );
}

/** Docker's table (Go's tabwriter with these numbers): cells are that wide at least, and that far apart. */
const LEAST_WIDTH = 10;
const PADDING = 3;
/** Text of which every character is known to be one cell wide. */
const NARROW = /^[\x20-\x7e…]*$/;

/**
 * Lays rows out in columns, by what a terminal shows and not by characters. The last cell of a row is not padded, and
 * makes its column no wider; a column ends at the first row that does not go so far.
 * `paint` colours a cell after its width is known.
 */
export async function layOut(
  rows: readonly (readonly string[])[],
  paint: (cell: string, row: number, column: number) => string = (cell) => cell,
  leastWidth = LEAST_WIDTH,
): Promise<readonly string[]> {
  const width = rows.every((row) => row.every((cell) => NARROW.test(cell)))
    ? (cell: string) => cell.length
    : (await import('string-width')).default;
  const widths = rows.map((): number[] => []);
  const columns = Math.max(0, ...rows.map((row) => row.length)) - 1;
  for (let column = 0; column < columns; column++) {
    let first = 0;
    while (first < rows.length) {
      let end = first;
      let widest = leastWidth;
      for (; end < rows.length && (rows[end]?.length ?? 0) - 1 > column; end++)
        widest = Math.max(widest, width(rows[end]?.[column] ?? '') + PADDING);
      for (let row = first; row < end; row++) widths[row]?.push(widest);
      first = end + 1;
    }
  }
  return rows.map((row, index) =>
    row
      .map((cell, column) => {
        const painted = paint(cell, index, column);
        return column === row.length - 1
          ? painted
          : painted + ' '.repeat((widths[index]?.[column] ?? 0) - width(cell));
      })
      .join(''),
  );
}

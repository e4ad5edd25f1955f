import { BerthError } from '../engine/api/errors.ts';
import { CONTENT_BYTES, clip, fitItems } from './budget.ts';
import { described, optional, text, truth } from './schema.ts';
import { table } from './table.ts';

/** What every list carries beside its rows. */
export const pageShape = { truncated: truth, cursor: optional(described(text, 'pass it to get more')) };

const MAX_VALUE = 300;

/**
 * As much of a list as a result may hold, as a table and as data, and a cursor where there is more. A cursor is
 * the last row's id: no state is kept, and rows that come or go meanwhile neither repeat nor hide others.
 * Throws `invalid` for a cursor whose row is gone.
 */
export function page<const Key extends string, Row extends Readonly<Record<string, unknown>>>(list: {
  readonly key: Key;
  readonly columns: readonly string[];
  readonly items: readonly Row[];
  readonly cells: (row: Row) => readonly string[];
  readonly cursorOf: (row: Row) => string;
  readonly cursor: string | undefined;
  /** What is said of an empty list. */
  readonly none: string;
}) {
  const rest = after(list.items, list.cursorOf, list.cursor).map(clipValues);
  const render = (rows: readonly Row[]) => table(list.columns, rows.map(list.cells));
  const kept = fitItems(rest, (rows) => [rows, render(rows)], 2 * CONTENT_BYTES);
  const last = kept.at(-1);
  const truncated = kept.length < rest.length;
  const cursor = truncated && last !== undefined ? list.cursorOf(last) : undefined;
  const more = truncated ? `\n${rest.length - kept.length} more: pass cursor "${cursor}"` : '';
  return {
    text: kept.length === 0 ? list.none : `${render(kept)}${more}`,
    data: { [list.key]: kept, truncated, ...(cursor === undefined ? {} : { cursor }) } as {
      readonly [Name in Key]: readonly Row[];
    } & { readonly truncated: boolean; readonly cursor?: string },
  };
}

function after<Row>(
  items: readonly Row[],
  cursorOf: (row: Row) => string,
  cursor: string | undefined,
): readonly Row[] {
  if (cursor === undefined) return items;
  const at = items.findIndex((row) => cursorOf(row) === cursor);
  if (at >= 0) return items.slice(at + 1);
  throw new BerthError('invalid', `nothing in the list has the cursor '${clip(cursor, 64)}'`, {
    hint: 'list again without a cursor, or narrow the list with filter',
  });
}

function clipValues<Row extends Readonly<Record<string, unknown>>>(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [
      key,
      typeof value === 'string' ? clip(value, MAX_VALUE) : value,
    ]),
  ) as Row;
}

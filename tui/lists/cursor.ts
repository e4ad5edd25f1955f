/**
 * Where a list stands: the key of the selected entry, its place when it was last seen, and the first visible
 * row. The key is what counts: entries come and go, and the selection stays with its thing.
 */
export type Cursor = {
  readonly key: string | undefined;
  readonly index: number;
  readonly top: number;
};

export const startCursor: Cursor = { key: undefined, index: 0, top: 0 };

/**
 * The cursor, put right for the entries there are and the rows there are room for. One whose entry is gone
 * goes to what took its place. `moved` is how far a key moves it.
 */
export function settleCursor(cursor: Cursor, keys: readonly string[], height: number, moved = 0): Cursor {
  // An empty list (a filter that nothing matches, a lost engine) is no reason to forget the selection.
  if (keys.length === 0) return cursor;
  const found = cursor.key === undefined ? -1 : keys.indexOf(cursor.key);
  const index = clamp((found < 0 ? cursor.index : found) + moved, 0, keys.length - 1);
  const lowestTop = Math.max(0, keys.length - height);
  const top = clamp(clamp(cursor.top, index - height + 1, index), 0, lowestTop);
  const key = keys[index];
  if (key === cursor.key && index === cursor.index && top === cursor.top) return cursor;
  return { key, index, top };
}

/** The number, held between two others; the lower one wins where they cross. */
export function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

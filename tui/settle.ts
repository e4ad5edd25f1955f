import { detailLines } from './details/lines.ts';
import { layoutScreen } from './layout.ts';
import { clamp, settleCursor } from './lists/cursor.ts';
import { visibleEntries } from './lists/visible.ts';
import type { Model } from './model.ts';

/**
 * Puts a model right after any change: the cursor on an entry that there is, no list scrolled beyond its end,
 * and details that belong to what is selected. Gives the same model where nothing was wrong.
 */
export function settle(model: Model, before: Model): Model {
  const { view } = model;
  const layout = layoutScreen(model);
  const keys = visibleEntries(model).map((entry) => entry.key);
  const cursor = settleCursor(model.cursors[view], keys, Math.max(1, layout.list));
  let next = model;
  if (cursor !== model.cursors[view]) next = { ...next, cursors: { ...next.cursors, [view]: cursor } };
  const selectionMoved = view !== before.view || cursor.key !== before.cursors[view].key;
  if (selectionMoved) next = { ...next, detailsTop: 0, log: { follow: true }, logProblem: undefined };
  const lowest = Math.max(0, detailLines(next).length - layout.details);
  const detailsTop = clamp(next.detailsTop, 0, lowest);
  return detailsTop === next.detailsTop ? next : { ...next, detailsTop };
}

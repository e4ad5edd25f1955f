import type { Model } from '../model.ts';
import { containerEntry, isLive } from './containers.ts';
import type { Entry, ViewName } from './entry.ts';
import { filterEntries } from './filter.ts';
import { imageEntries } from './images.ts';

type Inputs = readonly unknown[];
const lastOf = new Map<ViewName, { readonly inputs: Inputs; readonly entries: readonly Entry[] }>();

/**
 * The entries of a list that pass its filter. Made anew only when something they are made of has changed:
 * a key that moves the cursor must not format a thousand containers.
 */
export function visibleEntries(model: Model, view: ViewName = model.view): readonly Entry[] {
  const { containers, images, filters, showStopped, doing, nowMs } = model;
  const inputs: Inputs =
    view === 'containers'
      ? [containers, filters.containers, showStopped, doing, nowMs]
      : [images, filters.images, nowMs];
  const last = lastOf.get(view);
  if (last?.inputs.every((input, index) => Object.is(input, inputs[index]))) return last.entries;
  const entries = filterEntries(allEntries(model, view), filters[view]);
  lastOf.set(view, { inputs, entries });
  return entries;
}

function allEntries(model: Model, view: ViewName): readonly Entry[] {
  if (view === 'images') return imageEntries(model.images ?? [], model.nowMs);
  return (model.containers ?? [])
    .filter(({ summary }) => model.showStopped || isLive(summary))
    .map((listed) => containerEntry(listed, model.nowMs, model.doing.get(listed.summary.Id)));
}

/** The selected entry, if there is any. */
export function selectedEntry(model: Model): Entry | undefined {
  const entries = visibleEntries(model);
  const { key } = model.cursors[model.view];
  return entries.find((entry) => entry.key === key);
}

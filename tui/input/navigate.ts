import { type TabName, tabs } from '../details/tabs.ts';
import { layoutScreen } from '../layout.ts';
import { settleCursor } from '../lists/cursor.ts';
import type { ViewName } from '../lists/entry.ts';
import { visibleEntries } from '../lists/visible.ts';
import { scrollLog } from '../logs/scroll.ts';
import type { Model } from '../model.ts';
import type { ActionName } from './keymap.ts';

/** Where the log begins and ends, as far as it is kept. */
export type LogExtent = { readonly first: number; readonly end: number };

type Move = (model: Model, log: LogExtent) => Model;
const FAR = 1e9;

/** What keys do that only look: a new model from the old one. */
export const navigation: Readonly<Partial<Record<ActionName, Move>>> = {
  down: (model, log) => move(model, log, 1),
  up: (model, log) => move(model, log, -1),
  pageDown: (model, log) => move(model, log, pageOf(model)),
  pageUp: (model, log) => move(model, log, -pageOf(model)),
  halfDown: (model, log) => move(model, log, Math.ceil(pageOf(model) / 2)),
  halfUp: (model, log) => move(model, log, -Math.ceil(pageOf(model) / 2)),
  first: (model, log) => move(model, log, -FAR),
  last: (model, log) => move(model, log, FAR),
  showContainers: (model) => showView(model, 'containers'),
  showImages: (model) => showView(model, 'images'),
  nextView: (model) => showView(model, model.view === 'containers' ? 'images' : 'containers'),
  nextTab: (model) => turnTab(model, 1),
  previousTab: (model) => turnTab(model, -1),
  showLogs: (model) => (model.view === 'containers' ? enterTab(model, 'Logs') : model),
  showSummary: (model) => enterTab(model, 'Summary'),
  enterDetails: (model) => ({ ...model, pane: 'details' }),
  back,
  zoom: (model) => ({ ...model, zoomed: true }),
  unzoom: (model) => ({ ...model, zoomed: false }),
  filter: (model) => ({ ...model, prompt: { kind: 'filter', before: model.filters[model.view] } }),
  toggleStopped: (model) => ({ ...model, showStopped: !model.showStopped }),
  follow: (model) => ({ ...model, log: { follow: true } }),
  help: (model) => ({ ...model, prompt: { kind: 'help', top: 0 } }),
};

function pageOf(model: Model): number {
  const layout = layoutScreen(model);
  return Math.max(1, model.pane === 'list' ? layout.list : layout.details);
}

function move(model: Model, log: LogExtent, by: number): Model {
  const layout = layoutScreen(model);
  if (model.pane === 'list') {
    const keys = visibleEntries(model).map((entry) => entry.key);
    const cursor = settleCursor(model.cursors[model.view], keys, Math.max(1, layout.list), by);
    return { ...model, cursors: { ...model.cursors, [model.view]: cursor } };
  }
  if (model.tabs[model.view] !== 'Logs') return { ...model, detailsTop: model.detailsTop + by };
  return { ...model, log: scrollLog(model.log, { ...log, height: layout.details }, by) };
}

function showView(model: Model, view: ViewName): Model {
  return view === model.view ? { ...model, pane: 'list' } : { ...model, view, pane: 'list', zoomed: false };
}

function turnTab(model: Model, by: number): Model {
  const all = tabs[model.view];
  const index = all.indexOf(model.tabs[model.view]);
  const tab = all[(index + by + all.length) % all.length] ?? model.tabs[model.view];
  return { ...model, tabs: { ...model.tabs, [model.view]: tab }, detailsTop: 0 };
}

function enterTab(model: Model, tab: TabName): Model {
  const same = model.tabs[model.view] === tab;
  return {
    ...model,
    pane: 'details',
    tabs: { ...model.tabs, [model.view]: tab },
    detailsTop: same ? model.detailsTop : 0,
  };
}

/** One step back: out of the whole screen, out of the details, out of the filter. */
function back(model: Model): Model {
  if (model.zoomed) return { ...model, zoomed: false };
  if (model.pane === 'details') return { ...model, pane: 'list' };
  return { ...model, filters: { ...model.filters, [model.view]: '' } };
}

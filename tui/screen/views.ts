import { detailLines } from '../details/lines.ts';
import { tabs } from '../details/tabs.ts';
import { type Layout, layoutScreen, MIN_COLUMNS, MIN_ROWS } from '../layout.ts';
import { type Column, formatRow, layoutColumns } from '../lists/columns.ts';
import { containerColumns, isLive } from '../lists/containers.ts';
import type { Entry, Mark, ViewName } from '../lists/entry.ts';
import { countImageNames, imageColumns } from '../lists/images.ts';
import { visibleEntries } from '../lists/visible.ts';
import type { LogRing } from '../logs/ring.ts';
import { topLine } from '../logs/scroll.ts';
import type { Model } from '../model.ts';
import { cut, fit, widthOf } from '../text/cells.ts';
import { cleanText } from '../text/clean.ts';

/**
 * What each part of the screen says, as plain data made of finished strings. A part is drawn anew only when
 * its data differ from what was drawn before.
 */

const columnsOf: Readonly<Record<ViewName, readonly Column[]>> = {
  containers: containerColumns,
  images: imageColumns,
};

/** Cells before a row's text: the cursor, the glyph, and a blank after each. */
const LEAD = 4;

export type HeaderView = {
  readonly tabs: readonly { readonly text: string; readonly active: boolean }[];
  readonly engine: string;
  readonly lost: boolean;
};

export function headerView(model: Model): HeaderView {
  const { containers, images, connection, view } = model;
  const live = containers?.filter(({ summary }) => isLive(summary)).length ?? 0;
  const count = containers === undefined ? '' : ` ${live}/${containers.length}`;
  const items = [
    { text: ` 1 Containers${count} `, active: view === 'containers' },
    {
      text: ` 2 Images${images === undefined ? '' : ` ${countImageNames(images)}`} `,
      active: view === 'images',
    },
  ];
  const used = items.reduce((sum, { text }) => sum + widthOf(text), 1);
  const room = model.size.columns - used - 2;
  const words =
    connection.status === 'connected'
      ? `${connection.engine} · ${model.host}`
      : connection.status === 'lost'
        ? `✗ connection lost, trying again · ${model.host}`
        : `connecting to ${model.host}`;
  return { tabs: items, engine: cut(words, room), lost: connection.status === 'lost' };
}

export type RowView = {
  readonly key: string;
  readonly mark: Mark;
  readonly text: string;
  readonly selected: boolean;
};

export type ListView = {
  readonly titles: string;
  readonly rows: readonly RowView[];
  /** What is said where there are no rows. */
  readonly empty: string | undefined;
  readonly height: number;
  /** Whether what is shown may be out of date. */
  readonly stale: boolean;
  readonly hasKeys: boolean;
};

export function listView(model: Model): ListView {
  const layout = layoutScreen(model);
  const entries = visibleEntries(model);
  const columns = columnsOf[model.view];
  // A blank remains at the right edge.
  const width = layout.columns - LEAD - 1;
  const widths = columnWidths(columns, entries, width);
  const { top, key } = model.cursors[model.view];
  const filter = model.filters[model.view];
  const titles = formatRow(
    columns.map((column) => column.title),
    widths,
  ).trimEnd();
  const remarks = [
    // While it is typed it stands at the bottom.
    filter === '' || model.prompt?.kind === 'filter' ? '' : `filter: ${filter}`,
    model.view === 'containers' && !model.showStopped ? 'stopped ones hidden' : '',
  ];
  const remark = remarks.filter((text) => text !== '').join(' · ');
  const room = width - widthOf(remark) - 2;
  return {
    titles: remark === '' ? titles : cut(`${fit(titles, room)}  ${remark}`, width),
    rows: entries.slice(top, top + layout.list).map((entry) => ({
      key: entry.key,
      mark: entry.mark,
      text: fit(formatRow(entry.cells, widths), width + 1),
      selected: entry.key === key,
    })),
    empty: entries.length === 0 ? emptyText(model) : undefined,
    height: layout.list,
    stale: model.connection.status === 'lost',
    hasKeys: model.pane === 'list',
  };
}

let lastWidths:
  | { readonly entries: readonly Entry[]; readonly width: number; readonly widths: readonly number[] }
  | undefined;

function columnWidths(
  columns: readonly Column[],
  entries: readonly Entry[],
  width: number,
): readonly number[] {
  if (lastWidths?.entries === entries && lastWidths.width === width) return lastWidths.widths;
  const cells = entries.map((entry) => entry.cells);
  lastWidths = { entries, width, widths: layoutColumns(columns, cells, width) };
  return lastWidths.widths;
}

function emptyText(model: Model): string {
  const all = model.view === 'containers' ? model.containers : model.images;
  if (all === undefined) {
    if (model.connection.status !== 'lost') return '';
    const { message, hint } = model.connection;
    return cleanText(hint === undefined ? message : `${message} · ${hint}`);
  }
  if (model.filters[model.view] !== '') return 'nothing matches the filter · Esc clears it';
  if (all.length > 0) return 'none is running · e shows the stopped ones';
  return model.view === 'containers'
    ? 'no containers yet · berth run IMAGE'
    : 'no images yet · berth pull IMAGE';
}

export type DetailsView = {
  readonly tabs: readonly { readonly text: string; readonly active: boolean }[];
  /** Where the log or the text stands. */
  readonly position: string;
  readonly lines: readonly string[];
  readonly remark: boolean;
  readonly height: number;
  readonly hasKeys: boolean;
};

export function detailsView(model: Model, log: LogRing): DetailsView {
  const layout = layoutScreen(model);
  const active = model.tabs[model.view];
  const width = layout.columns - 2;
  const body = active === 'Logs' ? logBody(model, log, layout) : factBody(model, layout);
  return {
    ...body,
    lines: body.lines.map((line) => cut(line, width)),
    tabs: tabs[model.view].map((name) => ({ text: ` ${name} `, active: name === active })),
    height: layout.details,
    hasKeys: model.pane === 'details',
  };
}

type Body = Pick<DetailsView, 'lines' | 'remark' | 'position'>;

function logBody(model: Model, log: LogRing, layout: Layout): Body {
  const first = log.first();
  const end = log.end();
  if (first === end) {
    const hasSelection = visibleEntries(model).length > 0;
    const inspected = model.inspected?.key === model.cursors[model.view].key ? model.inspected : undefined;
    const failed = inspected?.of.kind === 'failed' ? inspected.of.message : undefined;
    const text = model.logProblem ?? failed ?? (inspected === undefined ? '' : 'no output yet');
    return { lines: hasSelection ? [cleanText(text)] : [], remark: true, position: '' };
  }
  const top = topLine(model.log, { first, end, height: layout.details });
  const below = end - Math.min(end, top + layout.details);
  const position = model.log.follow ? 'following' : `${below} below · f follows`;
  return { lines: log.slice(top, top + layout.details), remark: false, position };
}

function factBody(model: Model, layout: Layout): Body {
  const lines = detailLines(model);
  const top = model.detailsTop;
  const last = Math.min(lines.length, top + layout.details);
  const position = lines.length > layout.details ? `${top + 1}–${last} of ${lines.length}` : '';
  return { lines: lines.slice(top, last), remark: false, position };
}

/** What is said instead of the dashboard where it has no room. */
export function tooSmallText({ size }: Model): string {
  return `too small: ${size.columns}×${size.rows}, needs ${MIN_COLUMNS}×${MIN_ROWS}`;
}

import type { Model, Notice } from './model.ts';
import { wrap } from './text/cells.ts';
import { cleanText } from './text/clean.ts';

/** Smaller than this, nothing useful can be shown. */
export const MIN_COLUMNS = 40;
export const MIN_ROWS = 10;

const MAX_NOTICE_ROWS = 3;
const LIST_SHARE = 0.45;

/** How many rows each part of the screen has; 0 for one that is not shown. */
export type Layout = {
  readonly tooSmall: boolean;
  readonly columns: number;
  /** Entries of the list, without the line of column titles above them. */
  readonly list: number;
  /** Lines of the details, without the line of tabs above them. */
  readonly details: number;
  /** The last lines: what keys do, or what has happened. */
  readonly footer: readonly string[] | undefined;
};

/** Divides the screen. Header, column titles, tabs and footer have a row each; the rest is shared. */
export function layoutScreen(model: Model): Layout {
  const { columns, rows } = model.size;
  const footer = model.notice === undefined ? undefined : noticeLines(model.notice, columns);
  const body = rows - 1 - (footer?.length ?? 1);
  const base = { tooSmall: columns < MIN_COLUMNS || rows < MIN_ROWS, columns, footer };
  if (model.zoomed && model.pane === 'list') return { ...base, list: body - 1, details: 0 };
  if (model.zoomed) return { ...base, list: 0, details: body - 1 };
  const list = Math.max(1, Math.floor((body - 2) * LIST_SHARE));
  return { ...base, list, details: Math.max(1, body - 2 - list) };
}

function noticeLines(notice: Notice, columns: number): readonly string[] {
  const hint = notice.hint === undefined ? '' : ` · ${notice.hint}`;
  const mark = notice.kind === 'error' ? '✗ ' : '';
  return wrap(cleanText(`${mark}${notice.text}${hint}`), columns - 2).slice(0, MAX_NOTICE_ROWS);
}

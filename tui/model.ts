import type { ContainerInspect, ImageInspect, ImageSummary } from '../engine/api/wire.ts';
import type { TabName } from './details/tabs.ts';
import type { ListedContainer } from './lists/containers.ts';
import { type Cursor, startCursor } from './lists/cursor.ts';
import type { ViewName } from './lists/entry.ts';
import type { LogScroll } from './logs/scroll.ts';

export type PaneName = 'list' | 'details';

export type Connection =
  | { readonly status: 'connecting' }
  | { readonly status: 'connected'; readonly engine: string }
  | { readonly status: 'lost'; readonly message: string; readonly hint: string | undefined };

/** What was asked for about the selected thing; `key` says which thing that is. */
export type Inspected = {
  readonly key: string;
  readonly of:
    | { readonly kind: 'container'; readonly inspect: ContainerInspect }
    | { readonly kind: 'image'; readonly inspect: ImageInspect }
    | { readonly kind: 'failed'; readonly message: string };
};

/** What has the keys, if not the lists: a line that is typed, a question, the help. */
export type Prompt =
  | { readonly kind: 'filter'; readonly before: string }
  | {
      readonly kind: 'confirm';
      readonly question: string;
      readonly view: ViewName;
      readonly key: string;
      readonly target: string;
      readonly name: string;
      readonly running: boolean;
    }
  | { readonly kind: 'help'; readonly top: number };

export type Notice = {
  readonly kind: 'info' | 'error';
  readonly text: string;
  readonly hint: string | undefined;
};

/** All that decides what is on the screen, except for the lines of the log. Never changed, only replaced. */
export type Model = {
  readonly size: { readonly columns: number; readonly rows: number };
  readonly host: string;
  readonly connection: Connection;
  /** The moment that ages are counted to, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly view: ViewName;
  readonly pane: PaneName;
  /** Whether the pane that has the keys takes the whole screen. */
  readonly zoomed: boolean;
  /** Undefined until the engine has answered once. */
  readonly containers: readonly ListedContainer[] | undefined;
  readonly images: readonly ImageSummary[] | undefined;
  readonly showStopped: boolean;
  readonly filters: Readonly<Record<ViewName, string>>;
  readonly cursors: Readonly<Record<ViewName, Cursor>>;
  readonly tabs: Readonly<Record<ViewName, TabName>>;
  readonly log: LogScroll;
  /** Why there is no log, where there is none. */
  readonly logProblem: string | undefined;
  /** First line of the details that is shown. */
  readonly detailsTop: number;
  readonly inspected: Inspected | undefined;
  /** What the engine is asked to do, by the key of the thing it is done to: `Stopping…`. */
  readonly doing: ReadonlyMap<string, string>;
  readonly prompt: Prompt | undefined;
  readonly notice: Notice | undefined;
};

export function startModel(options: {
  readonly host: string;
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
}): Model {
  return {
    size: { columns: options.columns, rows: options.rows },
    host: options.host,
    connection: { status: 'connecting' },
    nowMs: options.nowMs,
    view: 'containers',
    pane: 'list',
    zoomed: false,
    containers: undefined,
    images: undefined,
    showStopped: true,
    filters: { containers: '', images: '' },
    cursors: { containers: startCursor, images: startCursor },
    tabs: { containers: 'Logs', images: 'Summary' },
    log: { follow: true },
    logProblem: undefined,
    detailsTop: 0,
    inspected: undefined,
    doing: new Map(),
    prompt: undefined,
    notice: undefined,
  };
}

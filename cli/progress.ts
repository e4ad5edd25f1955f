import { formatSize } from '../engine/api/sizes.ts';
import type { ProgressLine } from '../engine/api/wire.ts';
import type { Output } from './output.ts';
import { ellipsis, printable } from './printable.ts';

/** How a pull or a push is shown while it goes on. */
export type ProgressView = {
  take(line: ProgressLine): void;
  /** Shows the last state and ends the view; call it on failure too. */
  end(): void;
};

/** The view that fits: none, bars on a terminal, plain lines otherwise. */
export function openProgress(
  out: Output,
  options: { readonly quiet?: boolean | undefined } = {},
): ProgressView {
  if (options.quiet) return { take() {}, end() {} };
  return out.isTerminal ? barView(out) : plainView(out);
}

/** A line each time a layer enters another state; what is counted in bytes would be thousands of lines. */
function plainView(out: Output): ProgressView {
  const said = new Map<string, string>();
  return {
    take({ id, status = '', progressDetail }) {
      if (progressDetail?.current !== undefined && progressDetail.current > 0) return;
      if (id === undefined) return out.line(printable(status));
      if (said.get(id) === status) return;
      said.set(id, status);
      out.line(printable(`${id}: ${status}`));
    },
    end() {},
  };
}

type Layer = {
  readonly status: string;
  readonly current: number;
  readonly total: number;
  readonly fetched: number;
};

const REDRAW_MS = 50;
const LONGEST_ID = 12;
const LONGEST_STATUS = 18;
/** `999.9MB/999.9MB`, `999.9MB/s`. */
const LONGEST_SIZES = 15;
const LONGEST_RATE = 9;
const SHORTEST_BAR = 8;
const LONGEST_BAR = 50;
/** States in which a layer's bytes have all come. */
const FETCHED =
  /^(Verifying Checksum|Download complete|Extracting|Pull complete|Already exists|Pushed|Layer already exists|Mounted from)/;
/** States in which nothing more happens to a layer. */
const DONE = /^(Pull complete|Already exists|Pushed|Layer already exists|Mounted from)/;

/** One line a layer and one for the whole, redrawn in place. */
function barView(out: Output): ProgressView {
  const layers = new Map<string, Layer>();
  const startedMs = Date.now();
  let drawn: readonly string[] = [];
  let timer: NodeJS.Timeout | undefined;

  /** Moves to the block's first row, however the terminal has wrapped it since it was drawn. */
  function goUp(): string {
    const columns = out.columns();
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0);
    return rows === 0 ? '' : `\x1b[${rows}A\r`;
  }
  function draw(above = ''): void {
    if (timer !== undefined) clearTimeout(timer);
    timer = undefined;
    const start = goUp();
    drawn = layers.size === 0 ? [] : blockOf(layers, out, Date.now() - startedMs);
    // In one write, so that no half-drawn block is ever seen; each line clears what was right of it.
    out.stream.write(
      `${start}${[...(above === '' ? [] : [above]), ...drawn].map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`,
    );
  }
  return {
    take(line) {
      const { id, status = '' } = line;
      // The tag stands where other lines have a layer's id.
      if (id === undefined || status.startsWith('Pulling from')) {
        const text = printable(id === undefined ? status : `${id}: ${status}`);
        if (![...layers.values()].every((layer) => DONE.test(layer.status))) return draw(text);
        // What is said once all layers are there stands below them; they won't change any more.
        draw();
        layers.clear();
        drawn = [];
        return out.line(text);
      }
      layers.set(id, nextState(layers.get(id), line));
      timer ??= setTimeout(draw, REDRAW_MS).unref();
    },
    end() {
      if (timer !== undefined) draw();
    },
  };
}

function nextState(before: Layer | undefined, { status = '', progressDetail = {} }: ProgressLine): Layer {
  const current = progressDetail.current ?? 0;
  const total = progressDetail.total ?? before?.total ?? 0;
  const fetched = FETCHED.test(status)
    ? total
    : status === 'Downloading' || status === 'Pushing' || status === 'Loading layer'
      ? current
      : (before?.fetched ?? 0);
  return { status, current, total, fetched };
}

/** The block's lines: as many layers as fit above the total, those at work first, in the order they came. */
function blockOf(layers: ReadonlyMap<string, Layer>, out: Output, elapsedMs: number): readonly string[] {
  const columns = out.columns() - 1;
  const room = Math.max(1, (out.stream.rows ?? 24) - 3);
  const all = [...layers];
  const atWork = all.filter(([, { status }]) => !DONE.test(status));
  const shown =
    all.length <= room
      ? all
      : [...atWork, ...all.filter(([, { status }]) => DONE.test(status))].slice(0, room);
  const order = new Map(all.map(([id], index) => [id, index]));
  const sorted = shown.toSorted(([a], [b]) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return [...sorted.map(([id, layer]) => layerLine(id, layer, columns)), totalLine(all, columns, elapsedMs)];
}

function layerLine(id: string, layer: Layer, columns: number): string {
  const { status, current, total } = layer;
  const left = leftOf(printable(id), printable(status));
  if (total === 0 || DONE.test(status) || status === 'Download complete')
    return left.trimEnd().slice(0, columns);
  return withBar(left, { current, total }, columns);
}

function totalLine(
  layers: readonly (readonly [string, Layer])[],
  columns: number,
  elapsedMs: number,
): string {
  const done = layers.filter(([, { status }]) => DONE.test(status)).length;
  const total = layers.reduce((sum, [, layer]) => sum + layer.total, 0);
  const fetched = layers.reduce((sum, [, layer]) => sum + layer.fetched, 0);
  const left = leftOf('Total', `${done} of ${layers.length} layers`);
  if (total === 0) return left.trimEnd().slice(0, columns);
  const rate = elapsedMs < 500 ? '' : `${formatSize(Math.round((fetched / elapsedMs) * 1000))}/s`;
  return withBar(left, { current: fetched, total }, columns, rate);
}

function leftOf(id: string, status: string): string {
  return `${id.slice(0, LONGEST_ID).padEnd(LONGEST_ID)}  ${ellipsis(status, LONGEST_STATUS).padEnd(LONGEST_STATUS)}`;
}

/** `left  [====>    ]  12.3MB/45MB  rate`, in columns of their own; the bar goes first where room is scarce. */
function withBar(
  left: string,
  { current, total }: { readonly current: number; readonly total: number },
  columns: number,
  rate = '',
): string {
  const sizes = `${formatSize(current)}/${formatSize(total)}`;
  const width = Math.min(LONGEST_BAR, columns - left.length - LONGEST_SIZES - LONGEST_RATE - 8);
  if (width < SHORTEST_BAR) return `${left}  ${sizes}  ${rate}`.trimEnd().slice(0, columns);
  const filled = Math.round(Math.min(1, Math.max(0, current / total)) * width);
  const bar = filled === width ? '='.repeat(width) : `${'='.repeat(filled)}>`.padEnd(width);
  return `${left}  [${bar}]  ${sizes.padEnd(LONGEST_SIZES)}  ${rate}`.trimEnd();
}

import type { IBuffer, IBufferCell } from '@xterm/headless';

/** Draws a terminal's screen as SVG: each row as runs of cells that look alike. */

const CELL_WIDTH = 8.4;
const CELL_HEIGHT = 18;
const FONT_SIZE = 14;
const PADDING = 14;
const BAR_HEIGHT = 30;

const BACKGROUND = '#1b1f27';
const FOREGROUND = '#d7dce5';
const BAR = '#272c36';
/** The terminal's sixteen colours, as far as the dashboard uses them. */
const PALETTE: readonly string[] = [
  ...['#1b1f27', '#f0716b', '#7ec77b', '#e0b65c', '#6ba4f0', '#c58af0', '#5cc7c7', '#d7dce5'],
  ...['#6b7380', '#f0716b', '#7ec77b', '#e0b65c', '#6ba4f0', '#c58af0', '#5cc7c7', '#ffffff'],
];

type Style = {
  readonly fill: string;
  readonly back: string | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly underline: boolean;
};

type Run = { readonly style: Style; readonly start: number; text: string; cells: number };

/** The first `rows` rows of a buffer's screen as an SVG document. */
export function frameToSvg(
  buffer: IBuffer,
  frame: { readonly columns: number; readonly rows: number; readonly title: string },
): string {
  const { columns, rows, title } = frame;
  const width = round(columns * CELL_WIDTH + 2 * PADDING);
  const height = round(rows * CELL_HEIGHT + 2 * PADDING + BAR_HEIGHT);
  const lines = Array.from({ length: rows }, (_none, row) =>
    runsOf(buffer, row, columns)
      .map((run) => drawRun(run, BAR_HEIGHT + PADDING + row * CELL_HEIGHT))
      .join(''),
  );
  const lights = ['#f0716b', '#e0b65c', '#7ec77b']
    .map((colour, index) => `<circle cx="${20 + index * 20}" cy="${BAR_HEIGHT / 2}" r="6" fill="${colour}"/>`)
    .join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="The dashboard of Berth">`,
    `<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>`,
    `<path d="M0 ${BAR_HEIGHT}V8a8 8 0 0 1 8-8h${width - 16}a8 8 0 0 1 8 8v${BAR_HEIGHT - 8}z" fill="${BAR}"/>`,
    lights,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${FONT_SIZE}" xml:space="preserve">`,
    `<text x="${width / 2}" y="20" fill="#9aa3b2" text-anchor="middle">${escapeXml(title)}</text>`,
    ...lines.filter((line) => line !== ''),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function runsOf(buffer: IBuffer, row: number, columns: number): readonly Run[] {
  const line = buffer.getLine(buffer.baseY + row);
  const runs: Run[] = [];
  for (let column = 0; column < columns; column += 1) {
    const cell = line?.getCell(column);
    // The second half of a wide character.
    if (cell === undefined || cell.getWidth() === 0) continue;
    const style = styleOf(cell);
    const last = runs.at(-1);
    const text = cell.getChars() || ' ';
    if (last !== undefined && sameStyle(last.style, style)) {
      last.text += text;
      last.cells += cell.getWidth();
    } else runs.push({ style, start: column, text, cells: cell.getWidth() });
  }
  return runs;
}

function styleOf(cell: IBufferCell): Style {
  const fore = cell.isFgDefault() ? FOREGROUND : (PALETTE[cell.getFgColor()] ?? FOREGROUND);
  const back = cell.isBgDefault() ? undefined : PALETTE[cell.getBgColor()];
  const inverse = cell.isInverse() !== 0;
  return {
    fill: inverse ? (back ?? BACKGROUND) : fore,
    back: inverse ? fore : back,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
    underline: cell.isUnderline() !== 0,
  };
}

function sameStyle(a: Style, b: Style): boolean {
  return (
    a.fill === b.fill &&
    a.back === b.back &&
    a.bold === b.bold &&
    a.dim === b.dim &&
    a.underline === b.underline
  );
}

function drawRun({ style, start, text, cells }: Run, y: number): string {
  const x = round(PADDING + start * CELL_WIDTH);
  const width = round(cells * CELL_WIDTH);
  const back =
    style.back === undefined
      ? ''
      : `<rect x="${x}" y="${y}" width="${width}" height="${CELL_HEIGHT}" fill="${style.back}"/>`;
  if (text.trim() === '') return back;
  const attributes = [
    `x="${x}" y="${y + 13.5}" fill="${style.fill}"`,
    // Whatever font there is, cells stay where they are.
    `textLength="${width}" lengthAdjust="spacingAndGlyphs"`,
    style.bold ? 'font-weight="bold"' : '',
    style.dim ? 'opacity="0.6"' : '',
    style.underline ? 'text-decoration="underline"' : '',
  ];
  return `${back}<text ${attributes.filter((one) => one !== '').join(' ')}>${escapeXml(text)}</text>\n`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

import stringWidth from 'string-width';

/**
 * Text measured and cut by terminal cells. SGR sequences (colours) take no cell and pass through; the renderer
 * closes what a cut left open.
 */

const ASCII = /^[\x20-\x7e]*$/;
const SGR = /(\x1b\[[0-9;:]*m)/;
const ELLIPSIS = '…';
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** How many cells a text takes. */
export function widthOf(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

/** The text, cut to so many cells; one that does not fit ends with `…`. */
export function cut(text: string, width: number): string {
  if (width <= 0) return '';
  if (ASCII.test(text)) {
    return text.length <= width ? text : `${text.slice(0, width - 1)}${ELLIPSIS}`;
  }
  // A cell holds at most a few code units; what is far longer can't fit, and is not worth measuring whole.
  if (text.length <= width * 8 && stringWidth(text) <= width) return text;
  const { head, rest } = splitAt(text, width);
  return rest === '' ? head : `${splitAt(text, width - 1).head}${ELLIPSIS}`;
}

/** The text in exactly so many cells: cut, or filled with blanks. */
export function fit(text: string, width: number): string {
  const short = cut(text, width);
  return short + ' '.repeat(Math.max(0, width - widthOf(short)));
}

/** The text in as many lines as it needs, each of at most `width` cells. */
export function wrap(text: string, width: number): readonly string[] {
  if (width <= 0) return [];
  const lines: string[] = [];
  let rest = text;
  do {
    const split = splitAt(rest, width);
    // A character wider than the line: shown alone rather than looped over for ever.
    if (split.head === '') return [...lines, rest];
    lines.push(split.head);
    rest = split.rest;
  } while (rest !== '');
  return lines;
}

function splitAt(text: string, width: number): { readonly head: string; readonly rest: string } {
  if (ASCII.test(text)) return { head: text.slice(0, width), rest: text.slice(width) };
  let used = 0;
  let end = 0;
  for (const piece of text.split(SGR)) {
    if (SGR.test(piece)) {
      end += piece.length;
      continue;
    }
    for (const { segment } of graphemes.segment(piece)) {
      const cells = widthOf(segment);
      if (used + cells > width) return { head: text.slice(0, end), rest: text.slice(end) };
      used += cells;
      end += segment.length;
    }
  }
  return { head: text, rest: '' };
}

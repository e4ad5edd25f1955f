import { stripVTControlCharacters } from 'node:util';

/**
 * Tokens are estimated as a quarter of the UTF-8 bytes: no tokenizer is shipped, every model has another one,
 * and the same input must always give the same figure.
 */
const BYTES_PER_TOKEN = 4;

/** Most tokens of one result, text and structured content together. Clients refuse results over 25,000. */
export const MAX_RESULT_TOKENS = 8000;

/**
 * Bytes that a tool may fill with what it was asked for, in one of the two forms of its result: both carry it,
 * and ids, labels and hints need room beside it.
 */
export const CONTENT_BYTES = (MAX_RESULT_TOKENS * BYTES_PER_TOKEN) / 2 - 1000;

/** Bytes of a value on the wire. */
export function wireBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}

/** Estimated tokens of a value on the wire, or of a text as it stands. */
export function tokensOf(value: unknown): number {
  const bytes = typeof value === 'string' ? Buffer.byteLength(value) : wireBytes(value);
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

/** The longest beginning of `items` whose rendering stays within `maxBytes` on the wire. */
export function fitItems<T>(
  items: readonly T[],
  render: (items: readonly T[]) => unknown,
  maxBytes: number,
): readonly T[] {
  let kept = items;
  for (
    let bytes = wireBytes(render(kept));
    bytes > maxBytes && kept.length > 0;
    bytes = wireBytes(render(kept))
  ) {
    kept = kept.slice(0, Math.min(kept.length - 1, Math.floor((kept.length * maxBytes * 0.97) / bytes)));
  }
  return kept;
}

/** The longest end of `text` within `maxBytes` on the wire, from the start of a line where one is near. */
export function fitEnd(text: string, maxBytes: number): string {
  if (wireBytes(text) <= maxBytes) return text;
  let start = text.length;
  let bytes = 2; // the quotes
  // From the end, in steps that get smaller: an escape makes a character cost up to six bytes.
  for (const step of [1024, 64, 4, 1]) {
    while (start > 0) {
      const from = Math.max(0, start - step);
      const cost = wireBytes(text.slice(from, start)) - 2;
      if (bytes + cost > maxBytes) break;
      bytes += cost;
      start = from;
    }
  }
  const cut = text.slice(start);
  const line = cut.indexOf('\n');
  if (line >= 0 && line < cut.length / 4) return cut.slice(line + 1);
  // Not between the halves of a surrogate pair.
  return /^[\uDC00-\uDFFF]/.test(cut) ? cut.slice(1) : cut;
}

/** `text`, or its beginning with an ellipsis when it is longer than `max` characters. */
export function clip(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/**
 * What a program wrote, fit to be read: no colours or cursor movements, no control characters but tab and newline.
 * U+2028 and U+2029 become newlines: clients that read lines with Node's readline would break a message there.
 */
export function readable(output: string): string {
  return stripVTControlCharacters(output)
    .replace(/\r+(?=\n|$)/g, '')
    .replace(/[\r\u2028\u2029]/g, '\n')
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');
}

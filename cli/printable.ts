/**
 * Text of foreign origin (names, labels, messages of registries) as it may be shown: control characters, which
 * could move the cursor, recolour or retitle the terminal, become visible escapes. Line breaks stay if `lines`.
 */
export function printable(text: string, options: { readonly lines?: boolean } = {}): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) =>
    options.lines === true && (character === '\n' || character === '\t')
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Cut to so many cells, with an ellipsis for what was cut; docker's rule for commands and messages. */
export function ellipsis(text: string, cells: number): string {
  const characters = [...text];
  return characters.length <= cells ? text : `${characters.slice(0, cells - 1).join('')}…`;
}

/** The first twelve digits of an id, without its `sha256:`. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

const GO_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** Text in quotes as Go's strconv.Quote writes it, in which docker shows commands. */
export function goQuote(text: string): string {
  return `"${text.replace(/["\\]|[^\P{C}]|[^\P{Z} ]/gu, (character) => {
    const known = GO_ESCAPES[character];
    if (known !== undefined) return known;
    const code = character.codePointAt(0) ?? 0;
    const digits = code.toString(16);
    if (code < 0x80) return `\\x${digits.padStart(2, '0')}`;
    return code > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`;
  })}"`;
}

/**
 * What comes from outside (names, labels, commands, logs, error messages) may hold terminal control
 * sequences. None of them may reach the terminal: they could move the cursor, rename the window or write
 * to the clipboard. Grammar: ECMA-48, section 5.4 (control sequences) and 5.6 (control strings).
 */

const SUSPECT = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const COLOUR = /^\x1b\[[0-9;:]*m$/;
const TAB_STOP = 8;
// One pattern and one pass: parts left over from two removals must not add up to a new sequence.
const CONTROLS = new RegExp(
  [
    /(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)/, // control strings
    /(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*(?:[\x40-\x7e]|$)/, // control sequences
    /\x1b[\x20-\x2f]*[\x30-\x7e]?/, // other escapes
    /[\t\r\n]+/,
    /[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/,
    // Direction overrides make text read as what it is not (CVE-2021-42574).
    /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
  ]
    .map((part) => part.source)
    .join('|'),
  'g',
);

/** One line of text without any control: escapes go, line breaks and tabs become blanks. */
export function cleanText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return text.replace(CONTROLS, (control) => (/^[\t\r\n]/.test(control) ? ' ' : ''));
}

/**
 * A line of a log as it would look on a terminal: colours stay (unless `colour` is false), all other escapes
 * go, what a carriage return overwrote is gone, tabs are blanks up to the next stop.
 */
export function cleanLogLine(line: string, options: { readonly colour: boolean }): string {
  if (!SUSPECT.test(line)) return line;
  const whole = line.replace(/\r+$/, '');
  const text = whole.slice(whole.lastIndexOf('\r') + 1).replace(CONTROLS, (control) => {
    if (control.startsWith('\t')) return control.replace(/[\r\n]/g, '');
    return options.colour && COLOUR.test(control) ? control : '';
  });
  return text.includes('\t') ? expandTabs(text) : text;
}

function expandTabs(text: string): string {
  let column = 0;
  return text.replace(/\x1b\[[0-9;:]*m|\t|[^\t\x1b]+/g, (part) => {
    if (part.startsWith('\x1b')) return part;
    const filled = part === '\t' ? ' '.repeat(TAB_STOP - (column % TAB_STOP)) : part;
    column += filled.length;
    return filled;
  });
}

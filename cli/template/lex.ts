/**
 * Go's text/template, from its documentation (https://pkg.go.dev/text/template): the words of a template.
 * `at` is where a word begins, in the template's text.
 */
export type Token = { readonly kind: TokenKind; readonly at: number; readonly text: string };
export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'number'
  | 'char'
  | 'string'
  | 'dot'
  | 'symbol'
  | 'end';

/** What is wrong with a template, and where in its text. */
export class SyntaxProblem extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const KEYWORDS: ReadonlySet<string> = new Set([
  ...['if', 'else', 'end', 'range', 'with', 'break', 'continue', 'define', 'template', 'block', 'nil'],
  ...['true', 'false'],
]);

const SPACE = ' \t\r\n';
const COMMENT_START = '/*';
const WORDS: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /[ \t\r\n]+/y],
  [
    'number',
    /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[\p{L}\p{N}_]*/uy,
  ],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`/y],
  ['char', /'(?:[^'\\\n]|\\[^\n])+'/y],
  ['symbol', /:=|[!#%&()*+,\-/;<=>?@[\\\]^{|}~]/y],
];
/** What may follow a name without a space. */
const AFTER_NAME = /[ \t\r\n.,|:)(=]|-?\}\}|$/y;

/** The words of a template, one after the other; the last is `end`. Throws SyntaxProblem. */
export function* lex(source: string): Generator<Token, Token> {
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf('{{', at);
    const trims = open >= 0 && source[open + 2] === '-' && SPACE.includes(source[open + 3] ?? 'x');
    let text = open < 0 ? source.slice(at) : source.slice(at, open);
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    if (trims) text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') yield { kind: 'text', at, text };
    if (open < 0) return { kind: 'end', at: source.length, text: '' };
    at = open + (trims ? 3 : 2);
    const commentAt = at + (trims ? (/^\s*/.exec(source.slice(at))?.[0].length ?? 0) : 0);
    if (source.startsWith(COMMENT_START, commentAt)) {
      ({ at, trimNext } = skipComment(source, commentAt));
      continue;
    }
    yield { kind: 'open', at: open, text: '{{' };
    ({ at, trimNext } = yield* lexAction(source, at));
  }
}

type After = { readonly at: number; readonly trimNext: boolean };

function skipComment(source: string, start: number): After {
  const end = source.indexOf('*/', start);
  if (end < 0) throw new SyntaxProblem('unclosed comment', start);
  const close = /\s-\}\}|\}\}/y;
  close.lastIndex = end + 2;
  const match = close.exec(source);
  if (match === null) throw new SyntaxProblem('comment ends before closing delimiter', start);
  return { at: close.lastIndex, trimNext: match[0].includes('-') };
}

function* lexAction(source: string, start: number): Generator<Token, After> {
  let at = start;
  let depth = 0;
  for (;;) {
    const trims = /[ \t\r\n]-\}\}/y;
    trims.lastIndex = at;
    const trimmed = trims.test(source);
    if (trimmed || source.startsWith('}}', at)) {
      if (depth > 0) throw new SyntaxProblem('unclosed left paren', at);
      yield { kind: 'close', at, text: '}}' };
      return { at: at + (trimmed ? 4 : 2), trimNext: trimmed };
    }
    if (at >= source.length) throw new SyntaxProblem('unclosed action', at);
    const token = wordAt(source, at);
    if (token.text === '(') depth++;
    if (token.text === ')' && --depth < 0) throw new SyntaxProblem('unexpected right paren', at);
    yield token;
    at += token.text.length;
  }
}

function wordAt(source: string, at: number): Token {
  for (const [kind, pattern] of WORDS) {
    pattern.lastIndex = at;
    let text = pattern.exec(source)?.[0];
    if (text === undefined) continue;
    // A space before `-}}` belongs to it.
    if (kind === 'space' && source.startsWith('-}}', at + text.length)) text = text.slice(0, -1);
    if (
      kind === 'number' &&
      !/^[+-]?(0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]*|[\d_.]+([eE][+-]?\d+)?)$/.test(text)
    )
      throw new SyntaxProblem(`bad number syntax: ${JSON.stringify(text)}`, at);
    if (kind === 'field' || kind === 'variable' || kind === 'identifier') {
      AFTER_NAME.lastIndex = at + text.length;
      if (!AFTER_NAME.test(source))
        throw new SyntaxProblem(`bad character ${unicode(source, at + text.length)}`, at);
    }
    const isKeyword = kind === 'identifier' && KEYWORDS.has(text);
    return { kind: isKeyword ? 'keyword' : kind, at, text };
  }
  const problems: Readonly<Record<string, string>> = {
    '"': 'unterminated quoted string',
    '`': 'unterminated raw quoted string',
    "'": 'unterminated character constant',
    ':': 'expected :=',
  };
  const problem = problems[source[at] ?? ''] ?? `unrecognized character in action: ${unicode(source, at)}`;
  throw new SyntaxProblem(problem, at);
}

/** A character as Go's `%#U` shows it: `U+0021 '!'`. */
function unicode(source: string, at: number): string {
  const code = source.codePointAt(at) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`;
}

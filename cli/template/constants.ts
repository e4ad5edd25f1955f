import { SyntaxProblem, type Token } from './lex.ts';
import { basic, type Value } from './values.ts';

/** A constant as it stands in a template: a number, a character, a string, `true` or `false`. */
export function constantOf({ kind, text, at }: Token): Value {
  if (kind === 'string') return { type: basic.string, data: unquote(text, at) };
  if (kind === 'char') {
    const [character, ...more] = [...unquote(`"${text.slice(1, -1).replaceAll('"', '\\"')}"`, at)];
    if (character === undefined || more.length > 0)
      throw new SyntaxProblem(`malformed character constant: ${text}`, at);
    return { type: basic.int, data: character.codePointAt(0) };
  }
  if (kind === 'keyword') return { type: basic.bool, data: text === 'true' };
  const plain = text.replaceAll('_', '');
  if (/^[+-]?(\d+|0[xXbBoO].*)$/.test(plain)) {
    const negative = plain.startsWith('-');
    // Go reads a leading 0 as octal.
    const digits = plain.replace(/^[+-]/, '').replace(/^0(?=\d)/, '0o');
    const value = BigInt(digits);
    const signed = negative ? -value : value;
    return { type: basic.int, data: Number.isSafeInteger(Number(signed)) ? Number(signed) : signed };
  }
  const value = Number(plain);
  if (Number.isNaN(value)) throw new SyntaxProblem(`illegal number syntax: ${JSON.stringify(text)}`, at);
  return { type: basic.float, data: value };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** A Go string without its quotes. */
function unquote(text: string, at: number): string {
  if (text.startsWith('`')) return text.slice(1, -1).replaceAll('\r', '');
  return text
    .slice(1, -1)
    .replace(
      /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))/gu,
      (_match, hex, short, long, octal, one) => {
        const code = hex ?? short ?? long;
        if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
        if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
        if ('\\\'"'.includes(one)) return one;
        const character = ESCAPES[one];
        if (character === undefined) throw new SyntaxProblem(`invalid syntax`, at);
        return character;
      },
    );
}

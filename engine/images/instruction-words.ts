import { BerthError } from '../api/errors.ts';

/**
 * Words of a Dockerfile instruction: cut at spaces, with quotes, backslashes and variables as docker reads them
 * (docs.docker.com, "Dockerfile reference", "Environment replacement"). Throws `invalid` on a quote that isn't closed.
 */
export function expandWords(text: string, env: readonly string[]): readonly string[] {
  const values = new Map(
    env.map((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0
        ? ([entry, ''] as const)
        : ([entry.slice(0, equals), entry.slice(equals + 1)] as const);
    }),
  );
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === quote) {
      quote = undefined;
    } else if (quote === undefined && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else if (char === '\\' && quote !== "'" && at + 1 < text.length) {
      at += 1;
      const next = text[at] ?? '';
      // Inside double quotes a backslash means something before these alone.
      word = `${word ?? ''}${quote === '"' && !'"$\\'.includes(next) ? '\\' : ''}${next}`;
    } else if (char === '$' && quote !== "'") {
      const [taken, value] = variableAt(text.slice(at), values);
      word = `${word ?? ''}${value}`;
      at += taken - 1;
    } else {
      word = `${word ?? ''}${char}`;
    }
  }
  if (quote !== undefined)
    throw new BerthError(
      'invalid',
      `unexpected end of statement while looking for matching ${quote}: '${text}'`,
    );
  if (word !== undefined) words.push(word);
  return words;
}

/** What stands for `$NAME`, `${NAME}`, `${NAME:-otherwise}` and `${NAME:+instead}`, and how long that is in the text. */
function variableAt(text: string, values: ReadonlyMap<string, string>): readonly [number, string] {
  const plain = /^\$([A-Za-z_]\w*)/.exec(text);
  if (plain !== null) return [plain[0].length, values.get(plain[1] ?? '') ?? ''];
  const braced = /^\$\{(\w+)(?:(:[-+])([^}]*))?\}/.exec(text);
  if (braced === null) {
    if (text.startsWith('${'))
      throw new BerthError('invalid', `unsupported modifier in substitution: '${text}'`);
    return [1, '$'];
  }
  const [whole, name = '', operator, other = ''] = braced;
  const value = values.get(name) ?? '';
  if (operator === ':-') return [whole.length, value === '' ? other : value];
  if (operator === ':+') return [whole.length, value === '' ? '' : other];
  return [whole.length, value];
}

const NANO: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A duration of Go's, `1m30s`, in nanoseconds. Throws `invalid`. */
export function durationNano(name: string, text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (text !== '0' && parts.map(([part]) => part).join('') !== text)
    throw new BerthError('invalid', `invalid duration '${text}' for ${name}`, {
      hint: 'write it as in 1m30s',
    });
  return parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (NANO[unit] ?? 0), 0);
}

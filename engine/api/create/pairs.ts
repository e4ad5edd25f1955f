import { BerthError } from '../errors.ts';

/** The error for a value that a flag can't mean; `takes` shows what it takes. */
export function wrongValue(flag: string, text: string, takes: string): BerthError {
  return new BerthError('invalid', `invalid value '${text}' for --${flag}: expected ${takes}`);
}

/** Reads `NAME=VALUE`; with nothing behind the name where there is no equals sign and `bare` says so. Throws `invalid`. */
export function readPair(
  flag: string,
  text: string,
  { bare = false }: { readonly bare?: boolean } = {},
): readonly [string, string] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '' || (equals < 0 && !bare)) throw wrongValue(flag, text, 'NAME=VALUE');
  return [name, equals < 0 ? '' : text.slice(equals + 1)];
}

/** Reads a list of them; undefined for no list. A name given twice has the last value. */
export function readMap(
  flag: string,
  texts: readonly string[] | undefined,
  options: { readonly bare?: boolean } = {},
): Readonly<Record<string, string>> | undefined {
  return texts && Object.fromEntries(texts.map((text) => readPair(flag, text, options)));
}

/** An object without what is undefined: only what was said crosses the wire. */
export function saidOnly<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

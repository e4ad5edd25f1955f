import { BerthError } from './errors.ts';
import { parseSize } from './sizes.ts';

/**
 * A parameter, defined once: what it is called, what it means and what it accepts. The query strings of the
 * API, the flags and help of the CLI, the input schemas of MCP and the reference pages are all read from it.
 * Plain data, so that a front end pays nothing to load it.
 */
export type Field<T = unknown> = {
  readonly type: FieldType;
  /** One line for help and schemas; no full stop. */
  readonly summary: string;
  /** Its name in the query string where the Engine API has another one (`t` for `timeout`). */
  readonly wire?: string;
  /** One-letter CLI flag. */
  readonly short?: string;
  /** What help shows for the value, `NAME=VALUE`. */
  readonly placeholder?: string;
  readonly values?: readonly string[];
  readonly pattern?: RegExp;
  /** What the pattern takes, in words; they end the sentence «expected …». */
  readonly patternSays?: string;
  readonly min?: number;
  readonly max?: number;
  readonly default?: T;
};

/** `size`: bytes, written `512m`. `cpus`: a decimal. `list`: repeatable. `filters`: Docker's JSON map. */
export type FieldType = 'string' | 'integer' | 'boolean' | 'size' | 'cpus' | 'list' | 'filters';

export type Filters = Readonly<Record<string, readonly string[]>>;

type Options<T> = Omit<Field<T>, 'type' | 'summary'>;
type Maker<T> = (summary: string, options?: Options<T>) => Field<T>;

function maker<T>(type: FieldType): Maker<T> {
  return (summary, options = {}) => ({ type, summary, ...options });
}

export const string = maker<string>('string');
export const integer = maker<number>('integer');
export const boolean = maker<boolean>('boolean');
export const size = maker<number>('size');
export const cpus = maker<number>('cpus');
export const list = maker<readonly string[]>('list');
export const filters = maker<Filters>('filters');

export type Fields = Readonly<Record<string, Field>>;
export type ValuesOf<F extends Fields> = {
  readonly [Name in keyof F]?: F[Name] extends Field<infer T> ? T | undefined : never;
};

/**
 * Reads a value as it was typed, or as it stood in a query string, and checks its limits.
 * `name` is what the sender called it (`--memory`, `t`): it stands in the error. Throws `invalid`.
 */
export function parseField(
  field: Field,
  name: string,
  text: string,
): string | number | boolean | readonly string[] | Filters {
  const wrong = (expected: string) =>
    new BerthError('invalid', `invalid value '${text}' for ${name}: expected ${expected}`);
  switch (field.type) {
    case 'boolean':
      // As Docker reads its query strings: everything but these is true.
      return !['', '0', 'no', 'false', 'none'].includes(text.trim().toLowerCase());
    case 'integer':
    case 'cpus': {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (field.type === 'integer' && !Number.isSafeInteger(value)) throw wrong('a whole number');
      return checkField(field, name, value, `'${text}'`) as number;
    }
    case 'size': {
      let bytes: number;
      try {
        bytes = parseSize(text);
      } catch {
        throw wrong('a size with b, k, m or g, as in 512m');
      }
      return checkField(field, name, bytes, `'${text}'`) as number;
    }
    case 'filters':
      return parseFilters(text, name);
    case 'list':
      return [checkField({ ...field, type: 'string' }, name, text) as string];
    case 'string':
      return checkField(field, name, text) as string;
  }
}

/**
 * Checks a typed value (from JSON) against the field's limits and gives it back. Throws `invalid`; `shown` is how the
 * value stands in the error.
 */
export function checkField(
  field: Field,
  name: string,
  value: unknown,
  shown = JSON.stringify(value),
): unknown {
  const wrong = (expected: string) =>
    new BerthError('invalid', `invalid value ${shown} for ${name}: expected ${expected}`);
  switch (field.type) {
    case 'string':
      if (typeof value !== 'string') throw wrong('text');
      if (field.values !== undefined && !field.values.includes(value))
        throw wrong(`one of ${field.values.join(', ')}`);
      if (field.pattern !== undefined && !field.pattern.test(value)) {
        throw wrong(field.patternSays ?? `something that matches ${field.pattern.source}`);
      }
      if (value.includes('\0')) throw wrong('text without null bytes');
      return value;
    case 'boolean':
      if (typeof value !== 'boolean') throw wrong('true or false');
      return value;
    case 'integer':
    case 'size':
    case 'cpus':
      if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong('a number');
      if (field.type !== 'cpus' && !Number.isSafeInteger(value)) throw wrong('a whole number');
      if (field.min !== undefined && value < field.min)
        throw wrong(`at least ${limitText(field, field.min)}`);
      if (field.max !== undefined && value > field.max) throw wrong(`at most ${limitText(field, field.max)}`);
      return value;
    case 'list':
      if (!Array.isArray(value)) throw wrong('a list');
      for (const item of value) checkField({ ...field, type: 'string' }, name, item);
      return value;
    case 'filters':
      if (typeof value !== 'object' || value === null) throw wrong('a map of lists');
      return value;
  }
}

/** A limit as a person would type it: sizes with their unit. */
function limitText(field: Field, limit: number): string {
  const mebibytes = limit / 2 ** 20;
  return field.type === 'size' && Number.isInteger(mebibytes) ? `${mebibytes}m` : String(limit);
}

/** Reads Docker's filters in both spellings: `{"k":["v"]}` and `{"k":{"v":true}}`. Throws `invalid`. */
function parseFilters(text: string, name: string): Filters {
  const wrong = () =>
    new BerthError('invalid', `invalid ${name}: ${text.slice(0, 200)} is not a map of lists`, {
      hint: `send JSON, as in {"label":["tier=web"]}`,
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw wrong();
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw wrong();
  const out: Record<string, readonly string[]> = Object.create(null);
  for (const [key, value] of Object.entries(parsed)) {
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) out[key] = value;
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      out[key] = Object.keys(value);
    else throw wrong();
  }
  return out;
}

/** The CLI's spelling of a field's key: `stopTimeout` is `stop-timeout`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

import { compared, equal } from './compare.ts';
import { jsonOf } from './json.ts';
import { mapEntry, Unevaluable } from './lookup.ts';
import { printedByFmt } from './print.ts';
import { sprintf } from './printf.ts';
import {
  bool,
  concrete,
  entriesOf,
  indirect,
  int,
  isNil,
  isTrue,
  itemsOf,
  text,
  type Value,
} from './values.ts';

type Arg = Value | undefined;

/** A function of the template language: its name's parameters, and what it does with checked arguments. */
export type GoFunction = {
  /** What it takes, `...` after the last where there may be more. `any` takes everything. */
  readonly takes: readonly ('any' | 'string' | 'int' | '[]string')[];
  readonly many?: boolean;
  /** Which truth ends it early: its arguments are evaluated only until then. */
  readonly decides?: boolean;
  call(...args: readonly Arg[]): Arg;
};

const str = (value: Arg) => (value === undefined ? '' : String(value.data ?? ''));
const num = (value: Arg) => Number(value?.data ?? 0);
const one = (takes: GoFunction['takes'][number], act: (value: Arg) => Arg): GoFunction => ({
  takes: [takes],
  call: act,
});

/** Go's own functions. */
const goFunctions: Readonly<Record<string, GoFunction>> = {
  and: { takes: ['any', 'any'], many: true, decides: false, call: (value) => value },
  or: { takes: ['any', 'any'], many: true, decides: true, call: (value) => value },
  not: one('any', (value) => bool(!isTrue(value))),
  len: one('any', (value) => int(lengthOf(value))),
  index: { takes: ['any', 'any'], many: true, call: (of, ...keys) => keys.reduce(indexed, of) },
  slice: { takes: ['any', 'any'], many: true, call: sliced },
  eq: {
    takes: ['any', 'any'],
    many: true,
    call: (first, ...others) => {
      if (others.length === 0) throw new Unevaluable('missing argument for comparison');
      return bool(others.some((other) => equal(first, other)));
    },
  },
  ne: { takes: ['any', 'any'], call: (a, b) => bool(!equal(a, b)) },
  lt: { takes: ['any', 'any'], call: (a, b) => bool(compared(a, b) < 0) },
  le: { takes: ['any', 'any'], call: (a, b) => bool(compared(a, b) <= 0) },
  gt: { takes: ['any', 'any'], call: (a, b) => bool(compared(a, b) > 0) },
  ge: { takes: ['any', 'any'], call: (a, b) => bool(compared(a, b) >= 0) },
  print: { takes: ['any'], many: true, call: (...values) => text(sprint(values)) },
  println: {
    takes: ['any'],
    many: true,
    call: (...values) => text(`${values.map((value) => printedByFmt(value)).join(' ')}\n`),
  },
  printf: {
    takes: ['string', 'any'],
    many: true,
    call: (format, ...values) => text(sprintf(str(format), values)),
  },
  html: { takes: ['any'], many: true, call: (...values) => text(forHtml(sprint(values))) },
  js: { takes: ['any'], many: true, call: (...values) => text(forScript(sprint(values))) },
  urlquery: { takes: ['any'], many: true, call: (...values) => text(forUrl(sprint(values))) },
  call: {
    takes: ['any'],
    many: true,
    call: (value) => {
      throw new Unevaluable(value === undefined ? 'call of nil' : `non-function of type ${value.type.name}`);
    },
  },
};

/** More would be a slip, and fill the memory. */
const MOST_SPACES = 10_000;

function spaces(count: number): string {
  if (count < 0) throw new Unevaluable('strings: negative Repeat count');
  return ' '.repeat(Math.min(count, MOST_SPACES));
}

/** What docker adds to them. */
const dockerFunctions: Readonly<Record<string, GoFunction>> = {
  json: one('any', (value) => text(jsonOf(value))),
  split: {
    takes: ['string', 'string'],
    call: (value, by) => ({
      type: { kind: 'slice', name: '[]string', of: text('').type },
      data: str(by) === '' ? [...str(value)] : str(value).split(str(by)),
    }),
  },
  join: {
    takes: ['[]string', 'string'],
    call: (list, by) => text(list === undefined ? '' : itemsOf(list).map(str).join(str(by))),
  },
  title: one('string', (value) =>
    text(str(value).replace(/(?<![\p{L}\p{N}_])\p{L}/gu, (letter) => letter.toUpperCase())),
  ),
  lower: one('string', (value) => text(str(value).toLowerCase())),
  upper: one('string', (value) => text(str(value).toUpperCase())),
  pad: {
    takes: ['string', 'int', 'int'],
    call: (value, before, after) => {
      if (str(value) === '') return text('');
      return text(`${spaces(num(before))}${str(value)}${spaces(num(after))}`);
    },
  },
  truncate: {
    takes: ['string', 'int'],
    // Of bytes, as docker counts them.
    call: (value, length) => {
      if (num(length) < 0) throw new Unevaluable(`slice bounds out of range [:${num(length)}]`);
      return text(Buffer.from(str(value)).subarray(0, num(length)).toString());
    },
  },
};

export const functions: Readonly<Record<string, GoFunction>> = { ...goFunctions, ...dockerFunctions };

/** The same where a header is made: docker's functions leave a title as it is. */
export const headerFunctions: Readonly<Record<string, GoFunction>> = {
  ...functions,
  ...Object.fromEntries(
    ['json', 'split', 'join', 'title', 'lower', 'upper', 'truncate'].map((name) => [
      name,
      { takes: ['any'], many: true, call: (title: Arg) => title } satisfies GoFunction,
    ]),
  ),
};

/** fmt.Sprint: a space between two operands when neither is a string. */
function sprint(values: readonly Arg[]): string {
  const isString = (value: Arg) => concrete(value)?.type.kind === 'string';
  return values
    .map((value, at) =>
      at > 0 && !isString(value) && !isString(values[at - 1])
        ? ` ${printedByFmt(value)}`
        : printedByFmt(value),
    )
    .join('');
}

function lengthOf(value: Arg): number {
  const of = indirect(value);
  if (of === undefined) throw new Unevaluable('len of nil pointer');
  if (of.type.kind === 'slice') return itemsOf(of).length;
  if (of.type.kind === 'map') return entriesOf(of).length;
  if (of.type.kind === 'string') return Buffer.byteLength(str(of));
  throw new Unevaluable(`len of type ${of.type.name}`);
}

function indexed(value: Arg, key: Arg): Arg {
  const of = indirect(value);
  const by = indirect(key);
  if (of === undefined) throw new Unevaluable('index of untyped nil');
  if (of.type.kind === 'pointer' && isNil(of)) throw new Unevaluable('index of nil pointer');
  if (of.type.kind === 'map') {
    // Docker's own types of keys (nat.Port) are no strings to Go.
    if (by?.type.name !== of.type.key.name)
      throw new Unevaluable(`value has type ${by?.type.name ?? 'nil'}; should be ${of.type.key.name}`);
    return mapEntry(of, str(by)) ?? { type: of.type.of, data: undefined };
  }
  if (of.type.kind !== 'slice' && of.type.kind !== 'string')
    throw new Unevaluable(`can't index item of type ${of.type.name}`);
  const at = position(by, lengthOf(of));
  if (at === lengthOf(of)) throw new Unevaluable(`reflect: ${of.type.kind} index out of range`);
  return of.type.kind === 'slice' ? itemsOf(of)[at] : int(Buffer.from(str(of))[at] ?? 0);
}

function position(by: Arg, most: number): number {
  if (by?.type.kind !== 'int')
    throw new Unevaluable(
      `cannot index slice/array with ${by === undefined ? 'nil' : `type ${by.type.name}`}`,
    );
  const at = num(by);
  if (at < 0 || at > most) throw new Unevaluable(`index out of range: ${at}`);
  return at;
}

function sliced(value: Arg, ...by: readonly Arg[]): Arg {
  const of = indirect(value);
  if (of === undefined) throw new Unevaluable('slice of untyped nil');
  if (of.type.kind !== 'slice' && of.type.kind !== 'string')
    throw new Unevaluable(`can't slice item of type ${of.type.name}`);
  const length = lengthOf(of);
  const [from = 0, to = length] = by.map((at) => position(indirect(at), length));
  if (from > to) throw new Unevaluable(`invalid slice index: ${from} > ${to}`);
  if (of.type.kind === 'string') return text(Buffer.from(str(of)).subarray(from, to).toString());
  return {
    type: of.type,
    data: itemsOf(of)
      .slice(from, to)
      .map(({ data }) => data),
  };
}

const HTML: Readonly<Record<string, string>> = {
  '\0': '\uFFFD',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};
const forHtml = (value: string) => value.replace(/[\0"'&<>]/g, (character) => HTML[character] ?? character);

function forScript(value: string): string {
  const known: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '"': '\\"' };
  return value.replace(
    /[\\'"<>&=]|\p{C}|(?! )\p{Z}/gu,
    (character) =>
      known[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
}

const forUrl = (value: string) =>
  encodeURIComponent(value).replace(/%20|[!'()*]/g, (part) =>
    part === '%20' ? '+' : `%${part.charCodeAt(0).toString(16).toUpperCase()}`,
  );

import { concrete, entriesOf, fieldValue, isNil, itemsOf, type Value } from './values.ts';

/** `depth` is how deep inside another value it stands; `names` says to put a struct's names before its values. */
export type PrintOptions = { readonly depth?: number; readonly names?: boolean };

/**
 * Go's `%v`: lists as `[a b]`, maps as `map[k:v]` in the order of their keys, structs as `{a b}`, nil pointers as
 * `<nil>`; inside another value, other pointers print as addresses.
 */
export function printed(value: Value | undefined, { depth = 0, names = false }: PrintOptions = {}): string {
  const inside = (item: Value) => printed(item, { depth: depth + 1, names });
  const is = concrete(value);
  if (is === undefined) return depth === 0 ? '<no value>' : '<nil>';
  const { type, data } = is;
  switch (type.kind) {
    case 'string':
    case 'number':
      return data === undefined || data === null ? '' : String(data);
    case 'bool':
      return data === true ? 'true' : 'false';
    case 'int':
      return String(data ?? 0);
    case 'float':
      return goFloat(Number(data ?? 0));
    case 'time':
      return goTimestamp(typeof data === 'string' ? data : ZERO_TIME);
    case 'duration':
      return goDuration(Number(data ?? 0));
    case 'pointer':
      if (isNil(is)) return '<nil>';
      // The address of nothing in particular: Go's differ from run to run.
      return depth > 0 ? '0xc000000000' : printed({ type: type.of, data }, { names });
    case 'slice':
      return `[${itemsOf(is).map(inside).join(' ')}]`;
    case 'map':
      return `map[${entriesOf(is)
        .map(([key, item]) => `${inside(key)}:${inside(item)}`)
        .join(' ')}]`;
    case 'struct':
      return `{${type.fields
        .map((field) => `${names ? `${field.name}:` : ''}${inside(fieldValue(data, field))}`)
        .join(' ')}}`;
    case 'row':
      return `{${Object.entries(type.methods)
        .filter(([, { takes }]) => takes === 0)
        .map(([, method]) => method.call(data, []))
        .join(' ')}}`;
    default:
      return '<nil>';
  }
}

const ZERO_TIME = '0001-01-01T00:00:00Z';

/**
 * As fmt prints a value that is handed to it: nil is `<nil>`, not `<no value>`, and what a pointer points to has a `&`.
 */
export function printedByFmt(value: Value | undefined, options: PrintOptions = {}): string {
  const is = concrete(value);
  if (is === undefined) return '<nil>';
  if (is.type.kind !== 'pointer' || isNil(is)) return printed(is, options);
  const pointsTo = is.type.of.kind;
  return pointsTo === 'struct' || pointsTo === 'map' || pointsTo === 'slice'
    ? `&${printed(is, options)}`
    : '0xc000000000';
}

/** The shortest decimal that reads back, with an exponent below -4 and from 6 on: strconv's 'g'. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const exponent = value === 0 ? 0 : Number(value.toExponential().split('e')[1]);
  if (exponent >= -4 && exponent < 6) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}

/** An RFC 3339 moment as Go's Time.String has it: `2006-01-02 15:04:05.999999999 -0700 MST`. */
function goTimestamp(moment: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(moment);
  if (match === null) return moment;
  const [, date, time, fraction = '', zone = 'Z'] = match;
  const digits = fraction.replace(/\.?0+$/, '');
  const offset = zone === 'Z' ? '+0000' : zone.replace(':', '');
  return `${date} ${time}${digits} ${offset} ${zone === 'Z' ? 'UTC' : offset}`;
}

/** Nanoseconds as Go's Duration.String has them: `1h0m0.5s`, `30s`, `1.5ms`. */
export function goDuration(ns: number): string {
  if (ns === 0) return '0s';
  const sign = ns < 0 ? '-' : '';
  const all = Math.abs(ns);
  if (all < 1000) return `${sign}${all}ns`;
  if (all < 1e6) return `${sign}${all / 1000}µs`;
  if (all < 1e9) return `${sign}${all / 1e6}ms`;
  const seconds = Math.floor(all / 1e9);
  const fraction = String(all % 1e9)
    .padStart(9, '0')
    .replace(/0+$/, '');
  const rest = `${seconds % 60}${fraction === '' ? '' : `.${fraction}`}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${sign}${rest}`;
  return minutes < 60
    ? `${sign}${minutes}m${rest}`
    : `${sign}${Math.floor(minutes / 60)}h${minutes % 60}m${rest}`;
}

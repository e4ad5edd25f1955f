import { goQuote } from '../printable.ts';
import { goFloat, printed, printedByFmt } from './print.ts';
import { concrete, indirect, itemsOf, type Value } from './values.ts';

const VERB = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?([\p{L}%])/gu;

/** Go's fmt.Sprintf, with the verbs that make sense for what templates see. */
export function sprintf(format: string, values: readonly (Value | undefined)[]): string {
  let used = 0;
  const width = (given: string | undefined) => {
    if (given !== '*') return given === undefined ? undefined : Number(given);
    return Number(concrete(values[used++])?.data ?? 0);
  };
  const text = format.replace(VERB, (_match, flags: string, least, most, verb: string) => {
    if (verb === '%') return '%';
    const [wide, precision] = [width(least), width(most)];
    if (used >= values.length) return `%!${verb}(MISSING)`;
    const given = values[used++];
    const value = verb === 'v' ? given : indirect(given);
    const shown = formatted(value, { verb, precision, flags });
    return padded(shown, { flags, width: wide, isNumber: /^[dxXobfgeF]$/.test(verb) && isNumeric(value) });
  });
  const extra = values.slice(used).map((value) => `${nameOf(value)}=${printedByFmt(value)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

const isNumeric = (value: Value | undefined) => ['int', 'float', 'duration'].includes(value?.type.kind ?? '');
const nameOf = (value: Value | undefined) => concrete(value)?.type.name ?? '<nil>';

function formatted(
  value: Value | undefined,
  {
    verb,
    precision,
    flags,
  }: { readonly verb: string; readonly precision: number | undefined; readonly flags: string },
): string {
  const kind = value?.type.kind;
  if (verb === 'T') return nameOf(value);
  if (value === undefined) return verb === 'v' ? '<nil>' : `%!${verb}(<nil>)`;
  if (kind === 'slice' && verb !== 'v')
    return `[${itemsOf(value)
      .map((item) => formatted(indirect(item), { verb, precision, flags }))
      .join(' ')}]`;
  const bad = `%!${verb}(${nameOf(value)}=${printedByFmt(value)})`;
  const sign = (text: string) =>
    text.startsWith('-') ? text : flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
  switch (verb) {
    case 'v':
      return printedByFmt(value, { names: flags.includes('+') });
    case 's':
      if (kind === 'int' || kind === 'float' || kind === 'bool') return bad;
      return cut(printed(value), precision);
    case 'q':
      return kind === 'string' || kind === 'number' ? goQuote(cut(printed(value), precision)) : bad;
    case 't':
      return kind === 'bool' ? printed(value) : bad;
    case 'd':
      return kind === 'int' || kind === 'duration' ? sign(String(value.data ?? 0)) : bad;
    case 'x':
    case 'X': {
      if (kind === 'string')
        return verb === 'x'
          ? Buffer.from(printed(value)).toString('hex')
          : Buffer.from(printed(value)).toString('hex').toUpperCase();
      if (kind !== 'int') return bad;
      const digits = BigInt(value.data as number).toString(16);
      return verb === 'x' ? digits : digits.toUpperCase();
    }
    case 'o':
    case 'b':
      return kind === 'int' ? BigInt(value.data as number).toString(verb === 'o' ? 8 : 2) : bad;
    case 'c':
      return kind === 'int' ? String.fromCodePoint(Number(value.data)) : bad;
    case 'f':
    case 'F':
      return kind === 'float' ? sign(Number(value.data ?? 0).toFixed(precision ?? 6)) : bad;
    case 'e':
      return kind === 'float'
        ? sign(Number(value.data ?? 0).toExponential(precision ?? 6)).replace(/e([+-])(\d)$/, 'e$10$2')
        : bad;
    case 'g':
      return kind === 'float'
        ? sign(
            precision === undefined
              ? goFloat(Number(value.data ?? 0))
              : String(Number(Number(value.data ?? 0).toPrecision(precision))),
          )
        : bad;
    default:
      return bad;
  }
}

const cut = (text: string, most: number | undefined) =>
  most === undefined ? text : [...text].slice(0, most).join('');

function padded(
  text: string,
  {
    flags,
    width,
    isNumber,
  }: { readonly flags: string; readonly width: number | undefined; readonly isNumber: boolean },
): string {
  const missing = Math.min((width ?? 0) - [...text].length, 10_000);
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text;
  const [, sign = '', digits = text] = /^([+-]?)(.*)$/.exec(text) ?? [];
  return sign + '0'.repeat(missing) + digits;
}

import { Unevaluable } from './lookup.ts';
import { concrete, isNil, type Value } from './values.ts';

/** What a value is compared as; numbers of JSON that no type is known of are text, as in Go. */
function comparable(
  value: Value | undefined,
): readonly [kind: string, value: string | number | bigint | boolean] {
  if (value === undefined) return ['nil', false];
  const { type, data } = value;
  switch (type.kind) {
    case 'string':
    case 'number':
      return ['string', String(data ?? '')];
    case 'bool':
      return ['bool', data === true];
    case 'int':
    case 'duration':
      return ['int', (data ?? 0) as number | bigint];
    case 'float':
      return ['float', Number(data ?? 0)];
    default:
      return ['other', false];
  }
}

/** Go's `eq`. Throws Unevaluable for what can't be compared. */
export function equal(first: Value | undefined, second: Value | undefined): boolean {
  const [a, b] = [concrete(first), concrete(second)];
  const nils = [a, b].filter((value) => value === undefined || (value.type.kind !== 'row' && isNil(value)));
  if (a === undefined || b === undefined) return nils.length === 2;
  const [[kindA, valueA], [kindB, valueB]] = [comparable(a), comparable(b)];
  if (kindA === 'other' || kindB === 'other') {
    if (a.type.kind === 'pointer' && b.type.kind === 'pointer') return nils.length === 2 || a.data === b.data;
    throw new Unevaluable(
      kindA === kindB
        ? `non-comparable type ${a.type.name}: ${b.type.name}`
        : 'incompatible types for comparison',
    );
  }
  if (kindA !== kindB) throw new Unevaluable('incompatible types for comparison');
  // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint of the same worth are equal.
  return valueA == valueB;
}

/** Below 0, 0 or above 0. Throws Unevaluable for what has no order. */
export function compared(first: Value | undefined, second: Value | undefined): number {
  const [[kindA, a], [kindB, b]] = [comparable(concrete(first)), comparable(concrete(second))];
  if ([kindA, kindB].some((kind) => kind === 'nil' || kind === 'other' || kind === 'bool'))
    throw new Unevaluable('invalid type for comparison');
  if (kindA !== kindB) throw new Unevaluable('incompatible types for comparison');
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

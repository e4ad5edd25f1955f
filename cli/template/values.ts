/**
 * Values as Go's templates see them: JSON, and the Go type that docker's command line reads it into. What the JSON
 * leaves out is the type's zero value. The type decides what a field is called, how a value prints, and whether
 * something that is not there is an error (a field of a struct) or not (a key of a map).
 */
export type GoType = { readonly name: string } & (
  | { readonly kind: 'string' | 'bool' | 'int' | 'float' | 'any' | 'time' | 'duration' | 'number' }
  | { readonly kind: 'pointer'; readonly of: GoType }
  | { readonly kind: 'slice'; readonly of: GoType; readonly length?: number }
  | { readonly kind: 'map'; readonly of: GoType; readonly key: GoType }
  | { readonly kind: 'struct'; readonly fields: readonly GoField[] }
  /** A row of a list: what it has is asked of it by name. */
  | { readonly kind: 'row'; readonly methods: Methods }
);

export type GoField = {
  readonly name: string;
  /** Its name in JSON. */
  readonly json: string;
  readonly type: GoType;
  readonly omitEmpty: boolean;
  /** Its fields are read as those of the struct that it stands in. */
  readonly embedded: boolean;
};

export type Methods = Readonly<
  /** null is what Go has as a nil pointer. */
  Record<string, { readonly takes: number; call(row: unknown, args: readonly string[]): string | null }>
>;

/** A value and its type; `undefined` in place of one is what Go prints as `<no value>`. */
export type Value = { readonly type: GoType; readonly data: unknown };

export const basic = {
  string: { kind: 'string', name: 'string' },
  bool: { kind: 'bool', name: 'bool' },
  int: { kind: 'int', name: 'int' },
  float: { kind: 'float', name: 'float64' },
  any: { kind: 'any', name: 'interface {}' },
  /** A number of JSON that no type is known of: its digits as they came. */
  number: { kind: 'number', name: 'json.Number' },
} as const satisfies Record<string, GoType>;

const anySlice: GoType = { kind: 'slice', name: '[]interface {}', of: basic.any };
const anyMap: GoType = { kind: 'map', name: 'map[string]interface {}', of: basic.any, key: basic.string };

export const text = (data: string): Value => ({ type: basic.string, data });
export const bool = (data: boolean): Value => ({ type: basic.bool, data });
export const int = (data: number): Value => ({ type: basic.int, data });

/** What is in an interface value; undefined for nil. */
export function concrete(value: Value | undefined): Value | undefined {
  if (value?.type.kind !== 'any') return value;
  const { data } = value;
  switch (typeof data) {
    case 'string':
      return text(data);
    case 'boolean':
      return bool(data);
    case 'number':
    case 'bigint':
      return { type: basic.number, data };
    case 'object':
      if (data === null) return undefined;
      return { type: Array.isArray(data) ? anySlice : anyMap, data };
    default:
      return undefined;
  }
}

/** Follows pointers and interfaces to what they point to; a nil pointer stays. */
export function indirect(value: Value | undefined): Value | undefined {
  let at = concrete(value);
  while (at?.type.kind === 'pointer' && !isNil(at)) at = concrete({ type: at.type.of, data: at.data });
  return at;
}

/** Whether it is a nil pointer, map or slice. */
export function isNil({ type, data }: Value): boolean {
  if (type.kind === 'slice') return type.length === undefined && (data === undefined || data === null);
  return ['pointer', 'map', 'any'].includes(type.kind) && (data === undefined || data === null);
}

/** A list's items. */
export function itemsOf({ type, data }: Value): readonly Value[] {
  if (type.kind !== 'slice') return [];
  const items = Array.isArray(data) ? data : [];
  const length = type.length ?? items.length;
  return Array.from({ length }, (_, index) => ({ type: type.of, data: items[index] }));
}

/** A map's keys in Go's order (by bytes), each with its value. */
export function entriesOf({ type, data }: Value): readonly (readonly [Value, Value])[] {
  if (type.kind !== 'map' || typeof data !== 'object' || data === null) return [];
  return Object.keys(data)
    .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map((key) => [
      { type: type.key, data: key },
      { type: type.of, data: (data as Readonly<Record<string, unknown>>)[key] },
    ]);
}

/** What a field of a struct holds: embedded ones are read from the same JSON object. */
export function fieldValue(data: unknown, field: GoField): Value {
  if (field.embedded) return { type: field.type, data };
  const object = typeof data === 'object' && data !== null ? (data as Readonly<Record<string, unknown>>) : {};
  return { type: field.type, data: Object.hasOwn(object, field.json) ? object[field.json] : undefined };
}

/** Go's idea of emptiness, for `if`, `and`, `or` and `not`. */
export function isTrue(value: Value | undefined): boolean {
  const is = concrete(value);
  if (is === undefined) return false;
  const { type, data } = is;
  switch (type.kind) {
    case 'string':
      return data !== undefined && data !== null && data !== '';
    case 'bool':
      return data === true;
    case 'int':
    case 'float':
    case 'duration':
      return Number(data ?? 0) !== 0;
    case 'slice':
      return itemsOf(is).length > 0;
    case 'map':
      return entriesOf(is).length > 0;
    case 'pointer':
      return !isNil(is);
    default:
      return true;
  }
}

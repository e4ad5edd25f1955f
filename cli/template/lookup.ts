import { goType } from './shapes.ts';
import { fieldValue, indirect, isNil, type Value } from './values.ts';

/** Why something can't be evaluated, without its place in the template. */
export class Unevaluable extends Error {}

export type Lookup = {
  readonly args: readonly Value[];
  /** Whether a key that a map does not have is an error. */
  readonly strictKeys: boolean;
};

/**
 * `.name` of a value: a field of a struct, a key of a map, or a method with its arguments. Nothing for a key that is
 * not there; throws Unevaluable for a field that is not.
 */
export function fieldOf(
  value: Value | undefined,
  name: string,
  { args, strictKeys }: Lookup,
): Value | undefined {
  const inside = indirect(value);
  if (value === undefined || inside === undefined) {
    if (strictKeys) throw new Unevaluable(`nil data; no entry for key ${JSON.stringify(name)}`);
    return undefined;
  }
  const method = methodOf(inside, name);
  if (method !== undefined) {
    if (args.length !== method.takes)
      throw new Unevaluable(`wrong number of args for ${name}: want ${method.takes} got ${args.length}`);
    const result = method.call(args.map(({ data }) => String(data ?? '')));
    return { type: goType(result === null ? '*string' : 'string'), data: result };
  }
  if (inside.type.kind === 'pointer')
    throw new Unevaluable(`nil pointer evaluating ${value.type.name}.${name}`);
  const found = inside.type.kind === 'struct' ? structField(inside, name) : undefined;
  if (found !== undefined) {
    if (args.length === 0) return found;
    throw new Unevaluable(`${name} has arguments but cannot be invoked as function`);
  }
  if (inside.type.kind !== 'map')
    throw new Unevaluable(`can't evaluate field ${name} in type ${value.type.name}`);
  if (args.length > 0) throw new Unevaluable(`${name} is not a method but has arguments`);
  const entry = mapEntry(inside, name);
  if (entry === undefined && strictKeys)
    throw new Unevaluable(`map has no entry for key ${JSON.stringify(name)}`);
  return entry;
}

/** A map's value at a key; nothing where there is none. */
export function mapEntry({ type, data }: Value, key: string): Value | undefined {
  if (type.kind !== 'map' || typeof data !== 'object' || data === null || !Object.hasOwn(data, key))
    return undefined;
  return { type: type.of, data: (data as Readonly<Record<string, unknown>>)[key] };
}

function structField({ type, data }: Value, name: string): Value | undefined {
  if (type.kind !== 'struct') return undefined;
  const own = type.fields.find((field) => field.name === name);
  if (own !== undefined) return fieldValue(data, own);
  for (const field of type.fields.filter(({ embedded }) => embedded)) {
    const value = indirect(fieldValue(data, field));
    const found = value === undefined || isNil(value) ? undefined : structField(value, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

type Bound = { readonly takes: number; call(args: readonly string[]): string | null };

function methodOf({ type, data }: Value, name: string): Bound | undefined {
  if (type.kind === 'row') {
    const method = Object.hasOwn(type.methods, name) ? type.methods[name] : undefined;
    return method && { takes: method.takes, call: (args) => method.call(data, args) };
  }
  if (type.name !== 'nat.Port') return undefined;
  const [port = '', protocol = 'tcp'] = String(data ?? '').split('/');
  const known: Readonly<Record<string, string>> = { Port: port, Proto: protocol };
  const text = Object.hasOwn(known, name) ? known[name] : undefined;
  return text === undefined ? undefined : { takes: 0, call: () => text };
}

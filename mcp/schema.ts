/** A JSON Schema (2020-12), as it goes over the wire. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The shape of a result, said once: `schema` is what clients are told, `T` what the compiler holds the tool to.
 * No library's schemas are used, because every keyword that they add is paid for in each client's context.
 */
export type Shape<T> = {
  readonly schema: JsonSchema;
  readonly optional?: boolean;
  /** Types only; never there at run time. */
  readonly holds?: T;
};

type Fields = Readonly<Record<string, Shape<unknown>>>;
type HeldBy<S> = S extends Shape<infer T> ? T : never;
type OptionalIn<F extends Fields> = {
  [Name in keyof F]: undefined extends HeldBy<F[Name]> ? Name : never;
}[keyof F];
type RecordOf<F extends Fields> = { readonly [Name in Exclude<keyof F, OptionalIn<F>>]: HeldBy<F[Name]> } & {
  readonly [Name in OptionalIn<F>]?: HeldBy<F[Name]>;
};

export const text: Shape<string> = { schema: { type: 'string' } };
export const integer: Shape<number> = { schema: { type: 'integer' } };
export const number: Shape<number> = { schema: { type: 'number' } };
export const truth: Shape<boolean> = { schema: { type: 'boolean' } };

export function described<T>(shape: Shape<T>, description: string): Shape<T> {
  return { ...shape, schema: { ...shape.schema, description } };
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return { schema: shape.schema, optional: true };
}

export function listOf<T>(item: Shape<T>): Shape<readonly T[]> {
  return { schema: { type: 'array', items: item.schema } };
}

export function mapOf<T>(value: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return { schema: { type: 'object', additionalProperties: value.schema } };
}

export function record<const F extends Fields>(fields: F): Shape<RecordOf<F>> {
  const entries = Object.entries(fields);
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(entries.map(([name, field]) => [name, field.schema])),
      required: entries.filter(([, field]) => !field.optional).map(([name]) => name),
    },
  };
}

type Schema = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
};

/**
 * What of `value` is not as `schema` says, as a list of paths. Stricter than JSON Schema: what the schema does
 * not name must not be there, so that nothing is sent that clients are not told of.
 */
export function deviations(schema: Schema, value: unknown, path = '$'): readonly string[] {
  switch (schema.type) {
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
      const missing = (schema.required ?? [])
        .filter((name) => !(name in value))
        .map((name) => `${path}.${name}`);
      const within = Object.entries(value).flatMap(([name, item]) => {
        const named = schema.properties?.[name] ?? schema.additionalProperties;
        return named === undefined ? [`${path}.${name}`] : deviations(named, item, `${path}.${name}`);
      });
      return [...missing, ...within];
    }
    case 'array':
      if (!Array.isArray(value) || schema.items === undefined) return [path];
      return value.flatMap((item, at) => deviations(schema.items ?? {}, item, `${path}[${at}]`));
    case 'integer':
      return Number.isSafeInteger(value) ? [] : [path];
    default:
      return typeof value === schema.type ? [] : [path];
  }
}

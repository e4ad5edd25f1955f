import { type Field, type Fields, parseField } from '../api/fields.ts';

/**
 * Reads a query string by the fields of an operation. Keys that the table doesn't have are left out, as dockerd
 * does; of a key that comes twice the first counts, and empty text counts as not given. Throws `invalid`.
 */
export function readQuery(fields: Fields, parameters: URLSearchParams): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const key = field.wire ?? name;
    const value = readValue(field, key, parameters.getAll(key));
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function readValue(field: Field, key: string, texts: readonly string[]): unknown {
  const [text] = texts;
  if (text === undefined || text === '') return undefined;
  if (field.type === 'list') return texts.flatMap((item) => parseField(field, key, item));
  return parseField(field, key, text);
}

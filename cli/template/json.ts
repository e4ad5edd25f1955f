import { concrete, entriesOf, fieldValue, type GoField, isNil, itemsOf, type Value } from './values.ts';

/**
 * A value as Go's encoding/json writes it: no spaces, a struct's fields in their order and without the empty ones
 * that say so, a map's keys in the order of bytes.
 */
export function jsonOf(value: Value | undefined): string {
  const is = concrete(value);
  if (is === undefined || isNil(is)) return 'null';
  const { type, data } = is;
  switch (type.kind) {
    case 'string':
      return quote(data === undefined || data === null ? '' : String(data));
    case 'bool':
      return data === true ? 'true' : 'false';
    case 'int':
    case 'duration':
    case 'float':
    case 'number':
      return String(data ?? 0);
    case 'time':
      return quote(typeof data === 'string' ? data : '0001-01-01T00:00:00Z');
    case 'pointer':
      return jsonOf({ type: type.of, data });
    case 'slice':
      return `[${itemsOf(is).map(jsonOf).join(',')}]`;
    case 'map':
      return object(entriesOf(is).map(([key, item]) => [String(key.data), item]));
    case 'struct':
      return object(membersOf(is));
    case 'row': {
      const members = Object.keys(type.methods)
        .filter((name) => type.methods[name]?.takes === 0)
        .toSorted()
        .map((name) => [name, type.methods[name]?.call(data, []) ?? null] as const);
      // docker's rows are marshalled by a method of their own, which escapes for HTML.
      const member = (text: string | null) => (text === null ? 'null' : forHtml(quote(text)));
      return `{${members.map(([name, text]) => `"${name}":${member(text)}`).join(',')}}`;
    }
    default:
      return 'null';
  }
}

function membersOf({ type, data }: Value): readonly (readonly [string, Value])[] {
  if (type.kind !== 'struct') return [];
  return type.fields.flatMap((field) => {
    const value = fieldValue(data, field);
    if (field.embedded) return membersOf(unpointed(value));
    return field.omitEmpty && isEmpty(value, field) ? [] : [[field.json, value] as const];
  });
}

const unpointed = ({ type, data }: Value): Value => ({
  type: type.kind === 'pointer' ? type.of : type,
  data,
});

function isEmpty(value: Value, { type }: GoField): boolean {
  const { data } = value;
  switch (type.kind) {
    case 'struct':
    case 'time':
      return false;
    case 'slice':
      return itemsOf(value).length === 0;
    case 'map':
      return entriesOf(value).length === 0;
    case 'pointer':
      return isNil(value);
    default:
      return data === undefined || data === null || data === '' || data === 0 || data === false;
  }
}

function object(members: readonly (readonly [string, Value])[]): string {
  return `{${members.map(([name, value]) => `${quote(name)}:${jsonOf(value)}`).join(',')}}`;
}

function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** Go's default, which `docker ps --format json` keeps: `<`, `>` and `&` as escapes. */
function forHtml(json: string): string {
  return json.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

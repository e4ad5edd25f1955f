import { dockerTypes } from './docker-types.ts';
import { basic, type GoField, type GoType } from './values.ts';

/** Types that have no parts. What Go calls them matters only to errors. */
const PLAIN: Readonly<Record<string, GoType>> = {
  string: basic.string,
  bool: basic.bool,
  int: basic.int,
  int64: { kind: 'int', name: 'int64' },
  uint: { kind: 'int', name: 'uint64' },
  float: basic.float,
  any: basic.any,
  time: { kind: 'time', name: 'time.Time' },
  duration: { kind: 'duration', name: 'time.Duration' },
  port: { kind: 'string', name: 'nat.Port' },
};

const made = new Map<string, GoType>();

/** The Go type that a name or a notation (`[]string`, `*container.Health`) stands for. Made when first asked for. */
export function goType(notation: string): GoType {
  const known = PLAIN[notation] ?? made.get(notation);
  if (known !== undefined) return known;
  const type = makeType(notation);
  made.set(notation, type);
  return type;
}

function makeType(notation: string): GoType {
  if (notation.startsWith('*')) return { kind: 'pointer', name: notation, of: goType(notation.slice(1)) };
  const [, length, item] = /^\[(\d*)\](.+)$/.exec(notation) ?? [];
  if (item !== undefined)
    return {
      kind: 'slice',
      name: notation,
      of: goType(item),
      ...(length === '' ? {} : { length: Number(length) }),
    };
  const [, key, value] = /^map\[([^\]]+)\](.+)$/.exec(notation) ?? [];
  if (key !== undefined && value !== undefined)
    return { kind: 'map', name: notation, key: goType(key), of: goType(value) };
  const members = dockerTypes[notation];
  if (members === undefined) throw new Error(`no Go type named ${notation}`);
  let fields: readonly GoField[] | undefined;
  return {
    kind: 'struct',
    name: notation,
    // Types may hold themselves, so what is inside is looked at when it is needed.
    get fields() {
      fields ??= members.trim() === '' ? [] : members.trim().split(/\s+/).map(makeField);
      return fields;
    },
  };
}

/** `Name`, `Name=json`, each with `?` where an empty one is left out of JSON, and `:type` where it is no string. */
function makeField(notation: string): GoField {
  if (notation.startsWith('+')) {
    const type = notation.slice(1);
    return {
      name: type.replace(/^.*\./, ''),
      json: '',
      type: goType(type),
      omitEmpty: false,
      embedded: true,
    };
  }
  const [, name = '', json, optional, type = 'string'] =
    /^(\w+)(?:=([\w.]+))?(\?)?(?::(.+))?$/.exec(notation) ?? [];
  return { name, json: json ?? name, type: goType(type), omitEmpty: optional === '?', embedded: false };
}

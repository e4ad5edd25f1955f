import { BerthError } from '../engine/api/errors.ts';
import { checkField, type Field, type Fields, parseField, type ValuesOf } from '../engine/api/fields.ts';
import type { JsonSchema } from './schema.ts';

/** The arguments of a tool: those of `Required` are there, the others may be. */
export type ArgumentsOf<F extends Fields, Required extends keyof F> = ValuesOf<F> & {
  readonly [Name in Required]-?: NonNullable<ValuesOf<F>[Name]>;
};

/** More than this many bytes of arguments, as JSON, is no tool call. */
const MAX_ARGUMENT_BYTES = 256 * 1024;

/** The input schema of a tool, from the fields that the command line and the API are made of. */
export function inputSchema(fields: Fields, required: readonly string[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, propertyOf(field)])),
    ...(required.length === 0 ? {} : { required }),
  };
}

function propertyOf(field: Field): JsonSchema {
  const { summary: description, default: preset } = field;
  const also = { description, ...(preset === undefined ? {} : { default: preset }) };
  switch (field.type) {
    case 'string':
      return { type: 'string', ...(field.values === undefined ? {} : { enum: field.values }), ...also };
    case 'size':
      return { type: 'string', ...also };
    case 'boolean':
      return { type: 'boolean', ...also };
    case 'integer':
    case 'cpus':
      return {
        type: field.type === 'cpus' ? 'number' : 'integer',
        ...(field.min === undefined ? {} : { minimum: field.min }),
        ...(field.max === undefined ? {} : { maximum: field.max }),
        ...also,
      };
    case 'list':
    case 'filters':
      return { type: 'array', items: { type: 'string' }, ...also };
  }
}

/**
 * Checks the arguments of a call and gives them back typed. A null counts as absent: some clients send every
 * optional parameter so. A name that is not in `fields` is refused, because one that a caller believes in
 * (`privileged`, a misspelt `comand`) must not be passed over in silence. Throws `invalid`.
 */
export function checkArguments<F extends Fields, Required extends keyof F & string>(
  fields: F,
  required: readonly Required[],
  value: unknown,
): ArgumentsOf<F, Required> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BerthError('invalid', 'the arguments are not an object');
  }
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > MAX_ARGUMENT_BYTES) {
    throw new BerthError('invalid', `the arguments are ${bytes} bytes, more than ${MAX_ARGUMENT_BYTES}`);
  }
  const out: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      throw new BerthError('invalid', `there is no parameter ${JSON.stringify(name.slice(0, 64))}`, {
        hint: `the parameters are ${Object.keys(fields).join(', ')}`,
      });
    }
    if (given !== null) out[name] = checkArgument(field, name, given);
  }
  for (const name of required) {
    if (out[name] === undefined || out[name] === '') throw new BerthError('invalid', `no ${name} given`);
  }
  return out as ArgumentsOf<F, Required>;
}

function checkArgument(field: Field, name: string, given: unknown): unknown {
  if (field.type === 'size' && typeof given === 'string') return parseField(field, name, given);
  if (field.type === 'filters') return filtersOf(name, given);
  return checkField(field, name, given);
}

/** `["status=exited", "label=tier=web"]`, as the command line's `--filter` takes them, as Docker's map of lists. */
function filtersOf(name: string, given: unknown): Record<string, readonly string[]> {
  const wrong = () =>
    new BerthError('invalid', `invalid ${name}: expected a list of KEY=VALUE`, {
      hint: `as in ["status=exited"]`,
    });
  if (!Array.isArray(given)) throw wrong();
  const out: Record<string, string[]> = Object.create(null);
  for (const item of given) {
    const equals = typeof item === 'string' ? item.indexOf('=') : -1;
    if (equals < 1) throw wrong();
    const key = item.slice(0, equals);
    out[key] = [...(out[key] ?? []), item.slice(equals + 1)];
  }
  return out;
}

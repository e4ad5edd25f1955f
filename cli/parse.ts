import type { ParseArgsOptionsConfig } from 'node:util';
import { BerthError, toBerthError } from '../engine/api/errors.ts';
import { flagName, parseField } from '../engine/api/fields.ts';
import type { Flag, Flags, Typed } from './command.ts';
import { nearest } from './nearest.ts';

// Not `import`: see engine/client/transport.ts.
const { parseArgs } = process.getBuiltinModule('node:util');

/**
 * Reads what was typed after a command's name. Booleans take a value only after `=`, as docker's do; a flag given
 * twice counts the last time, a list adds up. With `argsEndFlags` nothing from the first argument on is looked at.
 * Why not meow: docs/decisions/0020-flags-without-meow.md. Throws `usage`.
 */
export function parseTyped(
  typed: readonly string[],
  flags: Flags,
  options: { readonly argsEndFlags?: boolean; readonly name: string },
): Typed<Flags> {
  const keys = keysByName(flags);
  const { tokens } = parseArgs({
    args: [...typed],
    options: parseArgsOptions(flags),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const hint = helpOf(options.name);
  const values: Record<string, unknown> = {};
  const args: string[] = [];
  for (const token of tokens) {
    if (options.argsEndFlags === true && token.kind !== 'option') {
      args.push(...typed.slice(token.kind === 'positional' ? token.index : token.index + 1));
      break;
    }
    if (token.kind === 'positional') args.push(token.value);
    if (token.kind !== 'option') continue;
    const key = keys.get(token.name);
    const flag = key === undefined ? undefined : flags[key];
    if (key === undefined || flag === undefined) throw unknownFlag(token.rawName, keys, options.name);
    // `-e=A=B`: docker drops the equals sign after a short flag.
    const text = token.rawName.startsWith('--') ? token.value : token.value?.replace(/^=/, '');
    try {
      values[key] = readValue(flag, token.rawName, text, values[key]);
    } catch (error) {
      throw new BerthError('usage', toBerthError(error).message, { hint, cause: error });
    }
  }
  return { flags: values as Typed<Flags>['flags'], args };
}

/** Flags that every command has. */
export const globalFlags = {
  host: {
    type: 'string',
    summary: 'Engine to talk to, as in unix:///run/docker.sock; also BERTH_HOST or DOCKER_HOST',
    short: 'H',
    placeholder: 'HOST',
  },
  help: { type: 'boolean', summary: 'Show this help', short: 'h' },
} as const satisfies Flags;

/** A command's flags and those that every command has; `-h` and `-H` are theirs where they are nothing else. */
export function allFlags(flags: Flags): Flags {
  const taken = new Set(Object.values(flags).map(({ short }) => short));
  const common = Object.entries(globalFlags).map(([key, flag]: [string, Flag]) => {
    const { short, ...long } = flag;
    return [key, taken.has(short) ? long : flag];
  });
  return { ...Object.fromEntries(common), ...flags };
}

function readValue(flag: Flag, name: string, text: string | undefined, before: unknown): unknown {
  if (flag.type === 'boolean') return text === undefined ? true : readBoolean(name, text);
  if (text === undefined)
    throw new BerthError('usage', `${name} needs a value${flag.placeholder ? `: ${flag.placeholder}` : ''}`);
  if (flag.type === 'filters') return addFilter(name, text, before as Record<string, string[]> | undefined);
  const value = parseField(flag, name, text);
  return flag.type === 'list' ? [...((before as string[]) ?? []), ...(value as string[])] : value;
}

/** Go's strconv.ParseBool, which docker reads its flags with. */
function readBoolean(name: string, text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new BerthError('usage', `invalid value '${text}' for ${name}: expected true or false`);
}

function addFilter(
  name: string,
  text: string,
  before: Readonly<Record<string, readonly string[]>> = {},
): Readonly<Record<string, readonly string[]>> {
  const equals = text.indexOf('=');
  const key = text.slice(0, equals).trim().toLowerCase();
  if (equals < 1 || key === '')
    throw new BerthError('usage', `invalid value '${text}' for ${name}: expected KEY=VALUE`);
  return { ...before, [key]: [...(before[key] ?? []), text.slice(equals + 1).trim()] };
}

function unknownFlag(name: string, keys: ReadonlyMap<string, string>, command: string): BerthError {
  const near = name.startsWith('--') ? nearest(name.slice(2), keys.keys()) : undefined;
  const meant = near === undefined ? '' : `; did you mean --${near}?`;
  return new BerthError('usage', `unknown flag ${name} for berth${command && ` ${command}`}${meant}`, {
    hint: helpOf(command),
  });
}

const helpOf = (command: string) => `berth ${command && `${command} `}--help`;

function keysByName(flags: Flags): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const [key, flag] of Object.entries(flags)) {
    for (const name of [flagName(key), ...(flag.aliases ?? [])]) keys.set(name, key);
  }
  return keys;
}

function parseArgsOptions(flags: Flags): ParseArgsOptionsConfig {
  const options: ParseArgsOptionsConfig = {};
  for (const [key, flag] of Object.entries(flags)) {
    const type = flag.type === 'boolean' ? 'boolean' : 'string';
    options[flagName(key)] = flag.short === undefined ? { type } : { type, short: flag.short };
    for (const alias of flag.aliases ?? []) options[alias] = { type };
  }
  return options;
}

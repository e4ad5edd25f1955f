import { flagName } from '../engine/api/fields.ts';
import type { Command, Flag, Flags } from './command.ts';
import type { Entry } from './commands/entry.ts';
import { entries } from './commands/index.ts';
import { flagsBefore } from './globals.ts';
import { allFlags } from './parse.ts';

const LONGEST_LEFT = 32;

/** The help of `berth` itself, or of a family of commands such as `berth engine`. */
export function helpOfAll(columns: number, family?: string): string {
  const groups = new Map<string, (readonly [string, string])[]>();
  for (const entry of entries) {
    const name = nameWithin(entry, family);
    if (name === undefined) continue;
    const group = family === undefined ? entry.group : 'Commands';
    groups.set(group, [...(groups.get(group) ?? []), [name, entry.summary]]);
  }
  const sections = [...groups].map(([title, rows]) => `${title}:\n${pairs(rows, columns)}`);
  const usage = family === undefined ? 'berth [FLAGS] COMMAND' : `berth ${family} COMMAND`;
  return [
    `Usage: ${usage}`,
    ...(family === undefined ? [wrap(ABOUT, columns).join('\n')] : []),
    ...sections,
    ...(family === undefined ? [`Flags:\n${flagRows(flagsBefore, columns)}`] : []),
    `berth ${family === undefined ? '' : `${family} `}COMMAND --help tells more about a command.`,
  ].join('\n\n');
}

const ABOUT =
  'A container engine with three faces: this command line, a dashboard (berth ui), and an MCP server (berth mcp).';

/** Under which name help lists a command: short in the whole list, without the first word in that of a family. */
function nameWithin(entry: Entry, family: string | undefined): string | undefined {
  const [first] = entry.names;
  if (family === undefined)
    return first.startsWith('container ') || first.startsWith('image ') ? undefined : first;
  return entry.names.find((name) => name.startsWith(`${family} `))?.slice(family.length + 1);
}

/** The help of one command. */
export function helpOfCommand(entry: Entry, command: Command, name: string, columns: number): string {
  const others = entry.names.filter((other) => other !== name);
  const examples = command.examples.map(({ line, does }) => [line, does] as const);
  return [
    `Usage: berth ${name} ${command.usage}`.trimEnd(),
    wrap(
      `${entry.summary}.${command.description === undefined ? '' : ` ${command.description}`}`,
      columns,
    ).join('\n'),
    ...(others.length === 0 ? [] : [`Also: ${others.map((other) => `berth ${other}`).join(', ')}`]),
    `Flags:\n${flagRows(allFlags(command.flags), columns)}`,
    ...(examples.length === 0
      ? []
      : [`Examples:\n${examples.map(([line, does]) => `  # ${does}\n  ${line}`).join('\n')}`]),
  ].join('\n\n');
}

function flagRows(flags: Flags, columns: number): string {
  const rows = Object.entries(flags)
    .filter(([, { refused }]) => refused === undefined)
    .map(([key, flag]) => [flagLeft(key, flag), flagRight(flag)] as const)
    .toSorted(([a], [b]) => (a.slice(4) < b.slice(4) ? -1 : 1));
  return pairs(rows, columns);
}

function flagLeft(key: string, flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  const value =
    flag.type === 'boolean' ? '' : ` ${flag.placeholder ?? (flag.type === 'integer' ? 'N' : 'VALUE')}`;
  return `${short}--${flagName(key)}${value}`;
}

function flagRight(flag: Flag): string {
  const notes = [
    ...(flag.values === undefined ? [] : [flag.values.filter((value) => value !== '').join(', ')]),
    ...(flag.default === undefined ? [] : [`default ${flag.default}`]),
    ...(flag.type === 'list' || flag.type === 'filters' ? ['repeatable'] : []),
  ];
  return notes.length === 0 ? flag.summary : `${flag.summary} (${notes.join('; ')})`;
}

/** Two columns; what is too long on the left gets a line of its own. */
function pairs(rows: readonly (readonly [string, string])[], columns: number): string {
  const width = Math.max(...rows.map(([left]) => left.length).filter((length) => length <= LONGEST_LEFT));
  const indent = width + 5;
  return rows
    .flatMap(([left, right]) => {
      const lines = wrap(right, Math.max(20, columns - indent));
      const first = left.length > width ? [`  ${left}`] : [];
      return [
        ...first,
        ...lines.map((line, index) =>
          index === 0 && first.length === 0
            ? `  ${left.padEnd(width)}   ${line}`
            : `${' '.repeat(indent)}${line}`,
        ),
      ];
    })
    .join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

import assert from 'node:assert/strict';
import test from 'node:test';
import { execa } from 'execa';
import { flagName } from '../engine/api/fields.ts';
import type { Flags } from './command.ts';
import { entries } from './commands/index.ts';
import { findDocker } from './testing/docker.ts';

/** Commands that docker does not have, or not under that name. */
const OURS = /^(engine |registry |system check$|ui$|mcp$)/;
/** Not at docker's side yet. */
const LATER: ReadonlySet<string> = new Set();

const docker = await findDocker();
const skip = docker === undefined ? "docker's command line of that release is not installed" : false;

const theirs = entries.filter(({ names }) => !OURS.test(names[0]));

/** The help of docker's command of the same name. */
const helps = new Map<string, Promise<string>>();
function helpOf(name: string): Promise<string> {
  const help =
    helps.get(name) ?? execa(docker ?? 'docker', [...name.split(' '), '--help']).then(({ stdout }) => stdout);
  helps.set(name, help);
  return help;
}

/** What docker's help lists and the command does not know: it would be an unknown flag to a docker user. */
function unknownFlags(help: string, flags: Flags): readonly string[] {
  const known = new Map(
    Object.entries(flags).flatMap(([key, { aliases = [], short }]) =>
      [flagName(key), ...aliases].map((name) => [name, short] as const),
    ),
  );
  return [...help.matchAll(/^ +(?:-(\w), +)?--([a-z0-9-]+)/gm)].flatMap(([, short, name = '']) => {
    if (!known.has(name)) return name === 'help' ? [] : [`--${name}`];
    return short === undefined || known.get(name) === short ? [] : [`-${short} for --${name}`];
  });
}

test('every flag of docker’s is known, to be served or to be refused by name', { skip }, async () => {
  const wrong = theirs.map(async ({ names, load }) => {
    const [help, { command }] = await Promise.all([helpOf(names[0]), load()]);
    const unknown = unknownFlags(help, command.flags);
    return unknown.length > 0 && !LATER.has(names[0]) ? [`${names[0]}: ${unknown.join(' ')}`] : [];
  });
  assert.deepEqual((await Promise.all(wrong)).flat(), []);
});

test('every spelling that docker has of a command is one here', { skip }, async () => {
  for (const { names } of theirs) {
    const [, aliases = ''] = /^Aliases:\n +(.*)$/m.exec(await helpOf(names[0])) ?? [];
    for (const alias of aliases.split(', ').filter((text) => text !== '')) {
      const spelling = alias.replace(/^docker /, '');
      assert(names.includes(spelling), `${spelling} is ${names[0]}`);
    }
  }
});

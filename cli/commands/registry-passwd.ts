import { open, readFile, rename, rm } from 'node:fs/promises';
import { BerthError, isErrno } from '../../engine/api/errors.ts';
import { checkUserName, parsePasswords, passwordLine } from '../../engine/api/passwords.ts';
import { askLine } from '../asking.ts';
import { type Context, defineCommand, type Flag } from '../command.ts';

export const command = defineCommand({
  usage: '[FLAGS] FILE NAME',
  description:
    'Writes a name and its password, hashed with scrypt, to a file for berth registry serve --passwords. The password is asked for on a terminal, else read from standard input: its first line.',
  flags: {
    delete: { type: 'boolean', summary: 'Take the name out', short: 'D' } as Flag<boolean>,
  },
  takes: [2, 2],
  examples: [
    { line: 'berth registry passwd users ada', does: 'Add ada, or give her another password' },
    { line: 'berth registry passwd -D users ada', does: 'Take her out' },
  ],
  async run(context, { flags, args: [path = '', given = ''] }) {
    const name = checkUserName(given);
    const before = await textOf(path);
    const known = parsePasswords(before, path);
    if (flags.delete && !known.has(name))
      throw new BerthError('notFound', `${path} has no ${name}`, { hint: `grep -o '^[^:]*' ${path}` });
    const others = before.split('\n').filter((line) => line !== '' && !line.startsWith(`${name}:`));
    const own = flags.delete ? [] : [await passwordLine(name, await passwordOf(context, name))];
    await replace(path, [...others, ...own].map((line) => `${line}\n`).join(''));
    context.stderr.line(
      flags.delete
        ? `took ${name} out of ${path}`
        : `${known.has(name) ? 'changed' : 'added'} ${name} in ${path}`,
    );
    return 0;
  },
});

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return '';
  }
}

/** Whole or not at all; nobody but its owner reads it. */
async function replace(path: string, text: string): Promise<void> {
  const begun = `${path}.${process.pid}`;
  try {
    await using file = await open(begun, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
    await rename(begun, path);
  } catch (error) {
    await rm(begun, { force: true });
    throw error;
  }
}

async function passwordOf(context: Context, name: string): Promise<string> {
  const password = await askLine(context, `Password of ${name}: `, { secret: true });
  if (password !== '') return password;
  throw new BerthError('invalid', `no password for ${name} was given`, {
    hint: `printf '%s\\n' "$PASSWORD" | berth registry passwd FILE ${name}`,
  });
}

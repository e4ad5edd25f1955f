import { readFileSync } from 'node:fs';
import { BerthError } from '../engine/api/errors.ts';

/** Reads files of variables or labels as docker does: a line each, `#` begins a comment. Throws `usage`. */
export function linesOfFiles(flag: string, paths: readonly string[] | undefined): readonly string[] {
  return (paths ?? []).flatMap((path) => linesIn(flag, path, read(flag, path)));
}

/** Security options with the text of their seccomp profile in the place of its file's name, which engines take. Throws `usage`. */
export function withProfiles(options: readonly string[] | undefined): readonly string[] | undefined {
  return options?.map((option) => {
    const path = /^seccomp[=:](.*)$/s.exec(option)?.[1];
    if (path === undefined || path === 'unconfined' || path === 'builtin') return option;
    const text = read('security-opt', path);
    try {
      return `seccomp=${JSON.stringify(JSON.parse(text))}`;
    } catch (error) {
      throw new BerthError('usage', `the seccomp profile ${path} is not JSON`, { cause: error });
    }
  });
}

function linesIn(flag: string, path: string, text: string): readonly string[] {
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of lines) {
    const name = line.split('=', 1)[0] ?? '';
    if (name === '' || /\s/.test(name))
      throw new BerthError(
        'usage',
        `invalid line '${line}' in ${path} for --${flag}: no name, or one with spaces`,
        {
          hint: 'write NAME=VALUE',
        },
      );
  }
  return lines;
}

// At once, and not through node:fs/promises, which takes longer to load than all of this module (docs/decisions/0090).
function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new BerthError('usage', `can't read ${path} for --${flag}: ${(error as Error).message}`, {
      hint: 'name a file that is there',
      cause: error,
    });
  }
}

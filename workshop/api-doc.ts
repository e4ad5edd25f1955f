import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Operation, operations } from '../engine/api/operations.ts';
import { unserved } from '../engine/server/unserved.ts';
import { ROOT } from './sources.ts';

/** `node workshop/api-doc.ts` writes the lists in docs/api.md anew, from the tables that the server routes by. */

export const API_DOC = join(ROOT, 'docs/api.md');

const lists: Readonly<Record<string, () => string>> = {
  served: servedTable,
  unserved: unservedList,
};

/** The page with its lists written anew, each between `<!-- list NAME -->` and `<!-- end -->`. */
export function withLists(page: string): string {
  return page.replace(
    /(<!-- list (\w+) -->\n)[^]*?(<!-- end -->)/g,
    (_all, begin: string, name: string, end: string) => `${begin}${lists[name]?.() ?? ''}\n${end}`,
  );
}

function servedTable(): string {
  const rows = Object.values(operations).map((operation: Operation) => {
    const query = Object.entries(operation.query).map(([name, field]) => `\`${field.wire ?? name}\``);
    return `| \`${operation.method} ${operation.path}\` | ${operation.summary} | ${query.join(' ')} |`;
  });
  return ['| endpoint | what it does | query |', '| --- | --- | --- |', ...rows].join('\n');
}

function unservedList(): string {
  return unserved
    .filter(({ why }) => why === 'notServed')
    .map(({ method, path }) => `- \`${method} ${path}\``)
    .join('\n');
}

if (import.meta.main) await writeFile(API_DOC, withLists(await readFile(API_DOC, 'utf8')));

import { BerthError } from '../engine/api/errors.ts';

/** A part of a format: text, or a value at a path of keys, perhaps as JSON. */
type Part = string | { readonly path: readonly string[]; readonly json: boolean };
export type Template = readonly Part[];

const ACTION = /^(json\s+)?(\.|(?:\.[A-Za-z_]\w*)+)$/;

/**
 * Reads a format in the part of Go's template language that people type most: `{{.Names}}`, `{{.State.Status}}`,
 * `{{json .}}`, with `\t` and `\n` in between. Throws `usage` on the rest of the language, naming it.
 */
export function parseTemplate(text: string): Template {
  const parts: Part[] = [];
  let rest = text.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  while (rest !== '') {
    const open = rest.indexOf('{{');
    if (open !== 0) {
      parts.push(open < 0 ? rest : rest.slice(0, open));
      rest = open < 0 ? '' : rest.slice(open);
      continue;
    }
    const close = rest.indexOf('}}');
    const action = rest.slice(2, close < 0 ? undefined : close).trim();
    const match = close < 0 ? null : ACTION.exec(action);
    if (match?.[2] === undefined)
      throw new BerthError(
        'usage',
        `can't use the format '{{${action}}}': only {{.Field}} and {{json .Field}} are known`,
        {
          hint: '--format json, and jq for the rest',
        },
      );
    parts.push({ path: match[2].split('.').filter((key) => key !== ''), json: match[1] !== undefined });
    rest = rest.slice(close + 2);
  }
  return parts;
}

/** The names of the fields that a template shows, for a table's header. */
export function templateHeader(template: Template, titleOf: (field: string) => string): string {
  return template.map((part) => (typeof part === 'string' ? part : titleOf(part.path.join('.')))).join('');
}

/** Fills a template in. Throws `usage` for a field that is not there, or that is not one value. */
export function fillTemplate(template: Template, data: unknown): string {
  return template.map((part) => (typeof part === 'string' ? part : valueAt(data, part))).join('');
}

function valueAt(data: unknown, { path, json }: Exclude<Part, string>): string {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key))
      throw new BerthError('usage', `no field .${path.join('.')} in the format's data`, {
        hint: '--format json shows all fields',
      });
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  if (json) return JSON.stringify(value ?? null);
  if (typeof value === 'object' && value !== null)
    throw new BerthError('usage', `.${path.join('.')} is not one value`, {
      hint: `--format '{{json .${path.join('.')}}}'`,
    });
  return value === null || value === undefined ? '' : String(value);
}

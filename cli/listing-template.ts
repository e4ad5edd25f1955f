import { FormatError } from './format-error.ts';
import type { Listing } from './list-fields.ts';
import { layOut } from './table.ts';
import type { GoType, Methods } from './template/values.ts';
import { fillTemplate, parseTemplate, type Template } from './template.ts';

/**
 * A list by a template: a line for each row, or with `table` before it, columns under a header made of the fields'
 * titles. Throws FormatError, also where there is no row that the template would not fit.
 */
export async function fillListing<Row>(
  listing: Listing<Row>,
  { format, show }: { readonly format: string; readonly show: ((text: string) => string) | undefined },
): Promise<string> {
  const { rows, fields, labels } = listing;
  const isTable = format.startsWith('table');
  const text = (isTable ? format.slice('table'.length) : format)
    .replace(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
  const template = parseTemplate(text, { exitCode: 1 });
  checkFields(template, listing);
  const type = rowType(listing, {
    of: (name, row) => fields[name]?.of(row as Row) ?? null,
    label: (name, row) => labels?.(row as Row)?.[name] ?? '',
  });
  const shown = show === undefined ? {} : { show };
  const lines = rows.map((row) => fillTemplate(template, row, { type, ...shown }));
  if (!isTable) return lines.map((line) => `${line}\n`).join('');
  const cells = [headerOf(template, listing), ...lines].join('\n').split('\n');
  return `${(await layOut(cells.map((line) => line.split('\t')))).join('\n')}\n`;
}

/** A field that no row has is said where there is no row, too. */
function checkFields<Row>(template: Template, listing: Listing<Row>): void {
  try {
    fillTemplate(template, undefined, { type: rowType(listing, { of: () => '', label: () => '' }) });
  } catch (error) {
    // Whatever else goes wrong may do so only because this row is empty.
    if (error instanceof FormatError && error.message.includes(": can't evaluate field ")) throw error;
  }
}

/** The template filled with titles. What it can't do with a title ends the header, as in docker. */
function headerOf<Row>(template: Template, listing: Listing<Row>): string {
  const type = rowType(listing, {
    of: (name) => listing.fields[name]?.title ?? '',
    // The last part of its name, in words.
    label: (name) => (name.split('.').at(-1) ?? '').replace(/[-_]/g, ' '),
  });
  try {
    return fillTemplate(template, undefined, { type, header: true });
  } catch (error) {
    if (error instanceof FormatError) return error.partial;
    throw error;
  }
}

type Asked = {
  readonly of: (name: string, row: unknown) => string | null;
  readonly label: (name: string, row: unknown) => string;
};

/** A row as the template language sees it: docker's fields as methods, and `Label` where rows have labels. */
function rowType<Row>(
  { fields, labels, goName = '*formatter.Context' }: Listing<Row>,
  { of, label }: Asked,
): GoType {
  const methods: Methods = Object.fromEntries(
    Object.keys(fields).map((name) => [name, { takes: 0, call: (row: unknown) => of(name, row) }]),
  );
  if (labels === undefined) return { kind: 'row', name: goName, methods };
  const labelled: Methods = {
    ...methods,
    Label: { takes: 1, call: (row, [name = '']) => label(name, row) },
  };
  return { kind: 'row', name: goName, methods: labelled };
}

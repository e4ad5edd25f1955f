import type { Flag } from './command.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { layOut } from './table.ts';
import { fillTemplate, parseTemplate, templateHeader } from './template.ts';

/** The flag by which every list takes another form. */
export const formatFlag: Flag<string> = {
  type: 'string',
  summary: "How to print: table, json (one object a line), or a template such as '{{.ID}}'",
  placeholder: 'FORMAT',
};

/** The fields of a list's rows by docker's names, each with its title in a table's header. */
export type ListFields<Row> = Readonly<
  Record<string, { readonly title: string; of(row: Row): string; paint?(cell: string, row: Row): string }>
>;

export type Listing<Row> = {
  readonly rows: readonly Row[];
  readonly fields: ListFields<Row>;
  /** Names of the fields that the table shows. */
  readonly columns: readonly string[];
  /** Print this field alone. */
  readonly only?: string | undefined;
  readonly format?: string | undefined;
};

/** Prints a list in the format that was asked for. Throws `usage` on one that is not known. */
export async function printListing<Row>(out: Output, listing: Listing<Row>): Promise<void> {
  const { rows, fields, only } = listing;
  const format = listing.format || 'table';
  if (only !== undefined && format === 'table') {
    await printLines(
      out,
      rows.map((row) => fields[only]?.of(row) ?? ''),
    );
  } else if (format === 'json' || format === '{{json .}}') {
    await printLines(
      out,
      rows.map((row) => JSON.stringify(shown(fields, row))),
    );
  } else if (format === 'table') {
    await printTable(out, listing);
  } else if (format.startsWith('table ')) {
    const template = parseTemplate(format.slice('table '.length));
    const header = templateHeader(template, (field) => fields[field]?.title ?? field);
    const lines = rows.map((row) => fillTemplate(template, shown(fields, row)));
    await printLines(out, await layOut([header, ...lines].map((line) => line.split('\t'))));
  } else {
    const template = parseTemplate(format);
    await printLines(
      out,
      rows.map((row) => printable(fillTemplate(template, shown(fields, row)), { lines: true })),
    );
  }
}

async function printTable<Row>(out: Output, { rows, fields, columns }: Listing<Row>): Promise<void> {
  const chosen = columns.flatMap((name) => fields[name] ?? []);
  const cells = rows.map((row) => chosen.map((field) => printable(field.of(row))));
  const lines = await layOut([chosen.map(({ title }) => title), ...cells], (cell, line, column) => {
    if (line === 0) return out.style.bold(cell);
    const row = rows[line - 1];
    const paint = chosen[column]?.paint;
    return row === undefined || paint === undefined ? cell : paint(cell, row);
  });
  await printLines(out, lines);
}

/** All of a row's fields, in the order of their names as docker's JSON has them. */
function shown<Row>(fields: ListFields<Row>, row: Row): Readonly<Record<string, string>> {
  const names = Object.keys(fields).toSorted();
  return Object.fromEntries(names.map((name) => [name, fields[name]?.of(row) ?? '']));
}

async function printLines(out: Output, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await out.write(`${lines.join('\n')}\n`);
}

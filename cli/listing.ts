import type { Flag } from './command.ts';
import type { Listing } from './list-fields.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { layOut } from './table.ts';

/** The flag by which every list takes another form. */
export const formatFlag: Flag<string> = {
  type: 'string',
  summary: "How to print: table, json (one object a line), or a Go template such as '{{.ID}}'",
  placeholder: 'FORMAT',
};

export type { ListFields } from './list-fields.ts';

/** Prints a list in the format that was asked for. Throws FormatError on one that makes no sense. */
export async function printListing<Row>(out: Output, listing: Listing<Row>): Promise<void> {
  const { rows, fields, only, raw } = listing;
  const format = listing.format || 'table';
  if (only !== undefined && format === 'table') {
    await printLines(
      out,
      rows.map((row) => fields[only]?.of(row) ?? ''),
    );
  } else if (format === 'table') {
    await printTable(out, listing);
  } else {
    const { fillListing } = await import('./listing-template.ts');
    const show = out.isTerminal ? (text: string) => printable(text, { lines: true }) : undefined;
    const text = format === 'json' ? '{{json .}}' : format === 'raw' && raw !== undefined ? raw : format;
    await out.write(await fillListing(listing, { format: text, show }));
  }
}

async function printTable<Row>(out: Output, { rows, fields, columns }: Listing<Row>): Promise<void> {
  const chosen = columns.flatMap((name) => fields[name] ?? []);
  const cells = rows.map((row) => chosen.map((field) => printable(field.of(row) ?? '')));
  const lines = await layOut([chosen.map(({ title }) => title), ...cells], (cell, line, column) => {
    if (line === 0) return out.style.bold(cell);
    const row = rows[line - 1];
    const paint = chosen[column]?.paint;
    return row === undefined || paint === undefined ? cell : paint(cell, row);
  });
  await printLines(out, lines);
}

async function printLines(out: Output, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await out.write(`${lines.join('\n')}\n`);
}

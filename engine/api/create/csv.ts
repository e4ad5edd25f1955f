/** The fields of one line of CSV (RFC 4180), without those that are empty. */
export function splitCsv(text: string): readonly string[] {
  const fields = text.match(/(?:"(?:[^"]|"")*"|[^,"]*)(?:,|$)/g) ?? [];
  return fields
    .map((field) => field.replace(/,$/, ''))
    .map((field) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field))
    .filter((field) => field !== '');
}

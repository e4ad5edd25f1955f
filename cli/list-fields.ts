/** The fields of a list's rows by docker's names, each with its title in a table's header; null is Go's nil. */
export type ListFields<Row> = Readonly<
  Record<
    string,
    { readonly title: string; of(row: Row): string | null; paint?(cell: string, row: Row): string }
  >
>;

export type Listing<Row> = {
  readonly rows: readonly Row[];
  readonly fields: ListFields<Row>;
  /** Names of the fields that the table shows. */
  readonly columns: readonly string[];
  /** What docker calls a row in errors, `*formatter.ContainerContext`. */
  readonly goName?: string;
  /** The labels of a row, for `{{.Label "name"}}`. */
  readonly labels?: (row: Row) => Readonly<Record<string, string>> | null | undefined;
  /** Print this field alone. */
  readonly only?: string | undefined;
  readonly format?: string | undefined;
  /** The template that `--format raw` stands for. */
  readonly raw?: string;
};

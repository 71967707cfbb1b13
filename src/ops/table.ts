import Table from 'cli-table3';

type Cell = string | number | boolean | null | undefined;

/** Formats rows as a table with the fields' names as its head. Returns an empty text if there are no rows. */
export function asTable<Row extends object>(rows: readonly Row[], fields: readonly (keyof Row & string)[]): string {
  if (rows.length === 0) return '';
  const table = new Table({ head: [...fields], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push(fields.map((field) => String((row[field] as Cell) ?? '')));
  return table.toString();
}

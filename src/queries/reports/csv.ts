/** What one cell of a report holds. */
export type CellValue = string | number | null;
export type ReportRow = Readonly<Record<string, CellValue>>;

/**
 * The rows as CSV (RFC 4180): a header row, lines ended by CRLF, an absent value as an empty cell.
 *
 * Text that a spreadsheet would take for a formula gets an apostrophe in front. So does text that begins with an apostrophe:
 * a reader gets the original back by taking one leading apostrophe off.
 */
export function toCsv(columns: readonly string[], rows: readonly ReportRow[]): string {
  const lines = rows.map((row) => columns.map((column) => cellOf(row[column] ?? null)));
  return [columns.map(cellOf), ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

/** Also their full-width forms, which some spreadsheets read alike. */
const formulaStart = /^['=+\-@\t\r＝＋－＠]/;

/** A sum beyond 2^53 is text in JSON, yet nothing to guard against: its digits, or a minus and its digits. */
const wholeNumber = /^-?\d+$/;

function cellOf(value: CellValue): string {
  if (value === null) return '';
  const text = String(value);
  const guarded = formulaStart.test(text) && !wholeNumber.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

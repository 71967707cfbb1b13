export type CellValue = string | number | null;
export type ReportRow = Readonly<Record<string, CellValue>>;

/**
 * Formats the rows as CSV (RFC 4180): a header row, CRLF at the end of each line, and an empty cell for a missing
 * value.
 *
 * Text that a spreadsheet would read as a formula gets an apostrophe as a prefix. Text that begins with an apostrophe
 * gets one too. So a reader restores every original text by removing one leading apostrophe.
 */
export function toCsv(columns: readonly string[], rows: readonly ReportRow[]): string {
  const lines = rows.map((row) => columns.map((column) => cellOf(row[column] ?? null)));
  return [columns.map(cellOf), ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

/** Characters that can start a formula, and their full-width forms, which some spreadsheets also accept. */
const formulaStart = /^['=+\-@\t\r＝＋－＠]/;

/** A sum above 2^53 is text, but needs no apostrophe even if it is negative. */
const wholeNumber = /^-?\d+$/;

function cellOf(value: CellValue): string {
  if (value === null) return '';
  const text = String(value);
  const guarded = formulaStart.test(text) && !wholeNumber.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

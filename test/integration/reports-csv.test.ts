import { period } from '../support/random-carts';
import { openReportApi, query, type ReportApi } from '../support/report-api';

let api: ReportApi;
beforeAll(async () => {
  api = await openReportApi();
});
afterAll(() => api.close());

describe('a report as CSV', () => {
  const at = '2030-02-10T00:00:00.000Z';

  it.each([
    ['carts', { at, limit: 4 }, (json: Json): Rows => summaryRows(json)],
    ['open-carts', { at, limit: 5 }, (json: Json): Rows => json.carts],
    ['longest-open', { at }, (json: Json): Rows => json.carts],
    ['products', period, (json: Json): Rows => json.products],
    ['value', period, (json: Json): Rows => json.points],
    ['checkouts', period, (json: Json): Rows => json.products.map(flatten)],
  ] as const)('contains the same values as JSON: %s', async (name, fields, rowsOf) => {
    const path = `${name}?${query(fields as Record<string, string>)}`;
    const json = await api.getJson(path);
    const csv = await api.get(path, 'text/csv');
    expect(csv.headers.get('Content-Type')).toBe('text/csv; charset=utf-8; header=present');
    expect(csv.headers.get('Cache-Control')).toBe('no-store');
    expect(csv.headers.get('Link')).toBe(json.next ? `<${json.next}>; rel="next"` : null);
    const [columns, ...cells] = parseCsv(csv.text);
    const expected = rowsOf(json).map((row) => columns!.map((column) => String(row[column] ?? '')));
    expect(Object.keys(Object.assign({}, ...rowsOf(json))).sort()).toEqual([...columns!].sort());
    expect(cells.map((row) => row.map((cell) => cell.replace(/^'/, '')))).toEqual(expected);
    expect(cells.length).toBeGreaterThan(2);
  });

  it('puts an apostrophe before text that a spreadsheet would run as a formula', async () => {
    const { text } = await api.get(`carts?${query({ at, limit: 5 })}`, 'text/csv');
    expect(text).toContain(",'=1+1,");
    expect(text).toContain(",'@cap,");
    expect(text).toContain(',"Ink, ""blue""",');
  });

  it('is returned if the client prefers it; JSON is the default; a type that is neither is answered 406', async () => {
    const type = async (accept?: string) => (await api.get('carts', accept)).headers.get('Content-Type');
    expect(await type()).toMatch(/^application\/json/);
    expect(await type('*/*')).toMatch(/^application\/json/);
    expect(await type('application/json;q=0.5, text/csv')).toMatch(/^text\/csv/);
    expect(await type('text/*')).toMatch(/^text\/csv/);
    const rejected = await api.get('carts', 'application/xml');
    expect(rejected.status).toBe(406);
    expect(JSON.parse(rejected.text)).toMatchObject({ code: 'not_acceptable' });
  });
});

// biome-ignore lint/suspicious/noExplicitAny: the reports have many shapes
type Json = any;
type Rows = Record<string, unknown>[];

const summaryRows = ({ openCarts, lines, units, values, topProducts }: Json): Rows => [
  { part: 'total', carts: openCarts, lines, units },
  ...(values as Rows).map((row) => ({ part: 'currency', ...row })),
  ...(topProducts as Rows).map((row) => ({ part: 'product', ...row })),
];

const flatten = ({ revenue, ...row }: Record<string, unknown>) => ({
  ...row,
  ...Object.fromEntries(Object.entries(revenue as object).map(([currency, amount]) => [`revenue.${currency}`, amount])),
});

/** RFC 4180, character by character. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length; ) {
    const [cell, end] = text[at] === '"' ? quoted(text, at) : plain(text, at);
    row.push(cell);
    at = end + 1;
    if (text[end] === ',') continue;
    if (text.slice(end, end + 2) !== '\r\n') throw new Error(`No CRLF at ${end}`);
    rows.push(row);
    row = [];
    at = end + 2;
  }
  return rows;
}

function plain(text: string, at: number): [string, number] {
  const [cell] = /^[^",\r\n]*/.exec(text.slice(at))!;
  return [cell, at + cell.length];
}

function quoted(text: string, at: number): [string, number] {
  const [cell] = /^"(?:[^"]|"")*"/.exec(text.slice(at))!;
  return [cell.slice(1, -1).replaceAll('""', '"'), at + cell.length];
}

import type { Knex } from 'knex';
import type { Report } from './answer';
import type { ReportRow } from './csv';
import { toExactSum } from './exact-sum';

const selectSummary = 'select *, value::text from reports.summary_at(?::timestamptz, ?)';
const selectOpenCarts = 'select *, value::text from reports.open_carts_at(?::timestamptz, ?, ?)';
const selectLongestOpen = 'select *, value::text from reports.longest_open_at(?::timestamptz, ?)';

interface SummaryRow {
  readonly part: 'total' | 'currency' | 'product';
  readonly currency: string | null;
  readonly product_id: string | null;
  readonly name: string | null;
  readonly carts: number;
  readonly lines: number;
  readonly units: number;
  readonly value: string | null;
}

/** Sums over all carts at an instant. In CSV: one row for the total, one for each currency and each top product. */
export async function summaryReport(db: Knex, { at, limit }: { at: string; limit: number }): Promise<Report> {
  const { rows } = (await db.raw(selectSummary, [at, limit])) as { rows: SummaryRow[] };
  const parts = (part: SummaryRow['part']) => rows.filter((row) => row.part === part);
  const [total] = parts('total');
  const { carts: openCarts, lines, units } = total!;
  const values = parts('currency')
    .map(({ currency, carts, lines, units, value }) => ({ currency, carts, lines, units, value: toExactSum(value!) }))
    .sort((a, b) => (a.currency! < b.currency! ? -1 : 1));
  const topProducts = parts('product').map(({ product_id, name, carts, units }) => ({
    productId: product_id,
    name,
    carts,
    units,
  }));
  return {
    name: 'carts',
    json: { at, openCarts, lines, units, values, topProducts },
    columns: ['part', 'currency', 'productId', 'name', 'carts', 'lines', 'units', 'value'],
    rows: [
      { part: 'total', carts: openCarts, lines, units },
      ...values.map((row) => ({ part: 'currency', ...row })),
      ...topProducts.map((row) => ({ part: 'product', ...row })),
    ],
  };
}

interface OpenCartRow {
  readonly user_id: string;
  readonly version: number;
  readonly currency: string;
  readonly lines: number;
  readonly units: number;
  readonly value: string;
  readonly open_since: Date;
}

const toOpenCart = (row: OpenCartRow) => ({
  userId: row.user_id,
  version: row.version,
  lines: row.lines,
  units: row.units,
  value: toExactSum(row.value),
  currency: row.currency,
  openSince: row.open_since.toISOString(),
});

const openCartColumns = ['userId', 'version', 'lines', 'units', 'value', 'currency', 'openSince'];

const openCartsList = (name: string, at: string, carts: readonly ReportRow[], next?: string): Report => ({
  name,
  json: { at, carts },
  columns: openCartColumns,
  rows: carts,
  next,
});

/** A page of the carts that were open at an instant, ordered by user id. */
export async function openCartsReport(
  db: Knex,
  { at, after, limit }: { at: string; after: string; limit: number },
): Promise<Report> {
  const { rows } = (await db.raw(selectOpenCarts, [at, after, limit + 1])) as { rows: OpenCartRow[] };
  const carts = rows.slice(0, limit).map(toOpenCart);
  if (rows.length <= limit) return openCartsList('open-carts', at, carts);
  // The link has the instant, so that all pages show the same state.
  const next = new URLSearchParams({ at, after: carts.at(-1)!.userId, limit: String(limit) });
  return openCartsList('open-carts', at, carts, `/reports/open-carts?${next}`);
}

/** The carts that had been open for the longest time at an instant, longest first. */
export async function longestOpenReport(db: Knex, { at, limit }: { at: string; limit: number }): Promise<Report> {
  const { rows } = (await db.raw(selectLongestOpen, [at, limit])) as { rows: OpenCartRow[] };
  return openCartsList('longest-open', at, rows.map(toOpenCart));
}

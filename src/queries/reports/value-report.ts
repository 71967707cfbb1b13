import type { Knex } from 'knex';
import type { Report } from './answer';
import { toExactSum } from './exact-sum';

const selectValues = `
  select at, currency, open_carts as "openCarts", value::text
  from reports.value_over_time(:from::timestamptz, :to::timestamptz, :interval)`;

/** Number and value of the open carts at the end of each interval, for each currency. */
export async function valueReport(db: Knex, query: { from: string; to: string; interval: string }): Promise<Report> {
  const { rows } = await db.raw(selectValues, query);
  const points = (rows as { at: Date; currency: string; openCarts: number; value: string }[]).map((row) => ({
    at: row.at.toISOString(),
    currency: row.currency,
    openCarts: row.openCarts,
    value: toExactSum(row.value),
  }));
  return { name: 'value', json: { ...query, points }, columns: ['at', 'currency', 'openCarts', 'value'], rows: points };
}

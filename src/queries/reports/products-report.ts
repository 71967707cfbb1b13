import type { Knex } from 'knex';
import type { Report } from './answer';
import { type Sum, toExactSum } from './exact-sum';
import type { Span } from './parameters';

const inSpan = 'occurred_at >= :from::timestamptz and occurred_at < :to::timestamptz';

const selectMovements = `
  select start, product_id as "productId", "timesAdded", "unitsAdded", "timesRemoved", "unitsRemoved", "timesBought",
         "unitsBought"
  from (
    select date_trunc(:interval, occurred_at, 'UTC') as start, product_id,
           count(*) filter (where effect = 'added') as "timesAdded",
           coalesce(sum(change) filter (where effect = 'added'), 0) as "unitsAdded",
           count(*) filter (where effect = 'removed') as "timesRemoved",
           coalesce(-sum(change) filter (where effect = 'removed'), 0) as "unitsRemoved",
           count(*) filter (where effect = 'bought') as "timesBought",
           coalesce(-sum(change) filter (where effect = 'bought'), 0) as "unitsBought"
    from reports.item_changes
    where ${inSpan} and occurred_at >= :start::timestamptz and effect in ('added', 'removed', 'bought')
    group by 1, 2
  ) as movement
  where (start, product_id collate "C") > (:start::timestamptz, :productId)
  order by start, product_id collate "C" limit :rows`;

const movementColumns = [
  'start',
  'productId',
  'timesAdded',
  'unitsAdded',
  'timesRemoved',
  'unitsRemoved',
  'timesBought',
  'unitsBought',
];

type Movement = Readonly<Record<string, number>> & { readonly start: Date; readonly productId: string };

const firstPosition = { start: '0001-01-01T00:00:00Z', productId: '' };

/** A page of the quantities that were added, removed and bought, by interval and product. */
export async function productsReport(
  db: Knex,
  query: Span & { interval: string; limit: number; after?: typeof firstPosition | undefined },
): Promise<Report> {
  const { from, to, interval, limit } = query;
  const bindings = { from, to, interval, rows: limit + 1, ...(query.after ?? firstPosition) };
  const { rows } = (await db.raw(selectMovements, bindings)) as { rows: Movement[] };
  const products = rows.slice(0, limit).map((row) => ({ ...row, start: row.start.toISOString() }));
  const report = {
    name: 'products',
    json: { from, to, interval, products },
    columns: movementColumns,
    rows: products,
  };
  const last = products.at(-1);
  if (rows.length <= limit || last === undefined) return report;
  const after = `${last.start},${last.productId}`;
  const next = new URLSearchParams({ from, to, interval, after, limit: String(limit) });
  return { ...report, next: `/reports/products?${next}` };
}

const selectPurchases = `
  with movement as (
    select product_id, count(*) filter (where effect = 'bought') as checkouts,
           coalesce(-sum(change) filter (where effect = 'bought'), 0) as units_bought,
           count(*) filter (where effect = 'removed') as removals,
           coalesce(-sum(change) filter (where effect = 'removed'), 0) as units_removed
    from reports.item_changes
    where ${inSpan} and quantity = 0 and effect in ('removed', 'bought')
    group by product_id order by units_bought desc, product_id collate "C" limit :limit
  ), sold as (
    select product_id, currency, max(name collate "C") as name, sum(line_total) as amount
    from reports.checkout_lines
    where ${inSpan.replaceAll('occurred_at', 'checked_out_at')} and product_id in (select product_id from movement)
    group by product_id, currency
  ), revenue as (
    select product_id, max(name) as name, json_object_agg(currency, amount::text order by currency) as by_currency
    from sold group by product_id
  )
  select product_id as "productId", name, checkouts, units_bought as "unitsBought", removals,
         units_removed as "unitsRemoved",
         round(checkouts::numeric / (checkouts + removals), 4)::float8 as "boughtRatio",
         coalesce(by_currency, '{}') as revenue
  from movement left join revenue using (product_id)
  order by units_bought desc, product_id collate "C"`;

interface Purchase {
  readonly productId: string;
  readonly name: string | null;
  readonly checkouts: number;
  readonly unitsBought: number;
  readonly removals: number;
  readonly unitsRemoved: number;
  readonly boughtRatio: number;
  readonly revenue: Readonly<Record<string, string>>;
}

/** How often each product was bought, or removed without being bought. In CSV, each currency has a column. */
export async function checkoutsReport(db: Knex, query: Span & { limit: number }): Promise<Report> {
  const { rows } = (await db.raw(selectPurchases, { ...query })) as { rows: Purchase[] };
  const products = rows.map((row) => ({ ...row, revenue: toExactAmounts(row.revenue) }));
  const currencies = [...new Set(products.flatMap(({ revenue }) => Object.keys(revenue)))].sort();
  return {
    name: 'checkouts',
    json: { from: query.from, to: query.to, products },
    columns: [
      ...['productId', 'name', 'checkouts', 'unitsBought', 'removals', 'unitsRemoved', 'boughtRatio'],
      ...currencies.map(revenueColumn),
    ],
    rows: products.map(({ revenue, ...row }) => ({
      ...row,
      ...Object.fromEntries(Object.entries(revenue).map(([currency, amount]) => [revenueColumn(currency), amount])),
    })),
  };
}

const revenueColumn = (currency: string) => `revenue.${currency}`;

const toExactAmounts = (amounts: Readonly<Record<string, string>>): Record<string, Sum> =>
  Object.fromEntries(Object.entries(amounts).map(([currency, amount]) => [currency, toExactSum(amount)]));

import type { Knex } from 'knex';

/**
 * Lines with attributes. In the tables of lines, `product_id` is the id of the line: that of the product, or with
 * attributes `<product>!<hash>`. A column of its own for the product would mean to build the keys of all lines anew
 * while nobody can write, and older processes could not use them meanwhile.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- What a killed rebuild of before left has tables without the column.
    drop schema if exists rebuild cascade;
    set local lock_timeout = '10s';
    alter table cart_items add column attributes jsonb;
    alter table cart_item_history add column attributes jsonb;
    ${checkoutLines}; ${itemChanges}; ${lineFunctions}; ${grants}
    select grant_cart_roles();
  `);
}

const checkoutLines = `
  create or replace view reports.checkout_lines as
    select user_id, version, occurred_at as checked_out_at, l."productId" as product_id, l.name, l.quantity,
           l."unitPrice" as unit_price, l.quantity * l."unitPrice" as line_total, data ->> 'currency' as currency,
           l.attributes
    from public.cart_events, jsonb_to_recordset(data -> 'items')
      as l ("productId" text, name text, quantity integer, "unitPrice" bigint, attributes jsonb)
    where type = 'CartCheckedOut'`;

const products = (list: string) => `
  lateral (select "productId" as product_id, sum(quantity)::integer as quantity
           from jsonb_to_recordset(data -> '${list}') as l ("productId" text, quantity integer)
           group by 1) as product`;

/** As migration 0009 has it, but an event that concerns whole carts has one row a product, however many lines. */
const itemChanges = `
  create or replace view reports.item_changes as
    select user_id, version, occurred_at, type as event_type, data ->> 'productId' as product_id,
           (data ->> 'previousQuantity')::integer as previous_quantity, (data ->> 'quantity')::integer as quantity,
           (data ->> 'quantity')::integer - (data ->> 'previousQuantity')::integer as change,
           case when data ->> 'mergedFrom' is not null then 'merged'
                when (data ->> 'quantity')::integer > (data ->> 'previousQuantity')::integer
                then 'added' else 'removed' end as effect
    from public.cart_events where type in ('ItemAdded', 'ItemQuantityChanged', 'ItemRemoved')
    union all
    select user_id, version, occurred_at, type, product_id, quantity, 0, -quantity,
           case type when 'CartCheckedOut' then 'bought' else 'removed' end
    from public.cart_events, ${products('items')}
    where type in ('CartCleared', 'CartCheckedOut')
    union all
    select user_id, version, occurred_at, type, product_id, quantity, 0, -quantity, 'handed over'
    from public.cart_events, ${products('items')}
    where type = 'CartHandedOver'
    union all
    select user_id, version, occurred_at, type, r.product_id, r.before, r.after, r.after - r.before,
           case when r.after > r.before then 'added' else 'removed' end
    from public.cart_events, lateral (
      select product_id, sum(before)::integer as before, sum(after)::integer as after
      from (select product_id, quantity as before, 0 as after from ${products('previousItems')}
            union all
            select product_id, 0, quantity from ${products('items')}) as both_sides
      group by product_id) as r
    where type = 'CartRestored' and r.after <> r.before`;

// As in migration 0003.
const asOwner = `language sql stable parallel safe security definer
  set search_path = pg_catalog, pg_temp set work_mem = '64MB' set jit = off`;

const product = "split_part(product_id, '!', 1) as product_id";

const lineFunctions = `
  drop function reports.cart_lines_at(timestamptz);
  create function reports.cart_lines_at(at timestamptz default now())
  returns table (user_id text, product_id text, name text, quantity integer, unit_price bigint, line_total bigint,
                 currency text, added_at timestamptz, attributes jsonb)
  ${asOwner} as $$
    select user_id, ${product}, name, quantity, unit_price, quantity * unit_price, currency, added_at, attributes
    from public.cart_item_history where during @> at
  $$;

  drop view reports.line_history;
  drop function reports.read_line_history();
  create function reports.read_line_history()
  returns table (user_id text, product_id text, name text, quantity integer, unit_price bigint, currency text,
                 added_at timestamptz, from_version integer, to_version integer, held_from timestamptz,
                 held_to timestamptz, attributes jsonb)
  ${asOwner} as $$
    select user_id, ${product}, name, quantity, unit_price, currency, added_at, lower(versions), upper(versions),
           lower(during), upper(during), attributes
    from public.cart_item_history
  $$;
  create view reports.line_history as select * from reports.read_line_history();

  create or replace function reports.summary_at(at timestamptz default now(), top_products integer default 10)
  returns table (part text, currency text, product_id text, name text, carts bigint, lines bigint, units bigint,
                 value numeric)
  ${asOwner} as $$
    with line as materialized (
      select user_id, ${product}, name, quantity, unit_price, currency
      from public.cart_item_history where during @> at
    ), cart as (
      select currency, count(*) as lines, sum(quantity) as units, sum(quantity * unit_price) as value
      from line group by user_id, currency
    ), total as (
      select currency, grouping(currency) = 1 as is_total, count(*) as carts, sum(lines) as lines, sum(units) as units,
             sum(value) as value
      from cart group by grouping sets ((), (currency))
    ), product as (
      select product_id, max(name collate "C") as name, count(distinct user_id) as carts, count(*) as lines,
             sum(quantity) as units
      from line group by product_id order by units desc, product_id collate "C" limit top_products
    )
    select case when is_total then 'total' else 'currency' end, currency, null, null, carts, coalesce(lines, 0)::bigint,
           coalesce(units, 0)::bigint, case when not is_total then value end
    from total
    union all
    select 'product', null, product_id, name, carts, lines, units, null from product
  $$`;

/** What migration 0003 grants, for the functions and the view that are new. */
const grants = `
  revoke execute on all functions in schema reports from public;
  do $$
  begin
    if to_regrole('cart_analyst') is not null then
      grant select on all tables in schema reports to cart_analyst;
      grant execute on all functions in schema reports to cart_analyst;
    end if;
  end $$;`;

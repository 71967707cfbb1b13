import type { Knex } from 'knex';

/** Carts of guests can be handed over: they are `merged` then, and their lines count as neither removed nor bought. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    -- What a killed rebuild of before left would bring its tables with it.
    drop schema if exists rebuild cascade;
    set local lock_timeout = '10s';
    alter table carts drop constraint carts_status_check;
    alter table carts add constraint carts_status_check check (status in ('empty', 'open', 'merged'));
    alter table carts add column handed_over_to text;
    create index cart_events_handed_over on cart_events (occurred_at) where type = 'CartHandedOver';
    ${itemChanges}
  `);
}

const lines = 'as l ("productId" text, name text, quantity integer, "unitPrice" bigint)';

/** Adds to the effects of migration 0003: handed over, merged. */
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
    select user_id, version, occurred_at, type, l."productId", l.quantity, 0, -l.quantity,
           case type when 'CartCheckedOut' then 'bought' else 'removed' end
    from public.cart_events, jsonb_to_recordset(data -> 'items') ${lines}
    where type in ('CartCleared', 'CartCheckedOut')
    union all
    select user_id, version, occurred_at, type, l."productId", l.quantity, 0, -l.quantity, 'handed over'
    from public.cart_events, jsonb_to_recordset(data -> 'items') ${lines}
    where type = 'CartHandedOver'
    union all
    select user_id, version, occurred_at, type, r.product_id, r.before, r.after, r.after - r.before,
           case when r.after > r.before then 'added' else 'removed' end
    from public.cart_events, lateral (
      select product_id, sum(before)::integer as before, sum(after)::integer as after
      from (select "productId" as product_id, quantity as before, 0 as after
            from jsonb_to_recordset(data -> 'previousItems') ${lines}
            union all
            select "productId", 0, quantity from jsonb_to_recordset(data -> 'items') ${lines}) as both_sides
      group by product_id) as r
    where type = 'CartRestored' and r.after <> r.before;`;

import type { Knex } from 'knex';

const cartsAtOnce = 1_000;

/**
 * Fills `cart_item_history` for carts that have events older than that table, which 0002 created empty. Without those
 * rows, past versions and reports lack their lines. The first event of a cart always adds a line, so a cart is
 * incomplete exactly where no line begins at version 1. Such a cart gets all its rows anew.
 *
 * It folds the events in its own SQL and not by the code of the projection, which may need columns of later migrations.
 */
export async function up(trx: Knex): Promise<void> {
  const { rows } = await trx.raw(incompleteCarts);
  for (let first = 0; first < rows.length; first += cartsAtOnce) {
    const users = rows.slice(first, first + cartsAtOnce).map((row: { user_id: string }) => row.user_id);
    // As a projection does: no event is added to these carts until the migration commits.
    await trx.raw('select from carts where user_id = any(?::text[]) order by user_id for update', [users]);
    await trx.raw('delete from cart_item_history where user_id = any(?::text[])', [users]);
    await trx.raw(fill, [users]);
  }
}

const incompleteCarts = `
  select user_id from cart_events e
  where version = 1
    and not exists (select from cart_item_history h where h.user_id = e.user_id and h.versions @> 1)
  order by user_id`;

// A row of `change` is a line after an event; its quantity is 0 where the line is gone. `added` is the whole line where
// the event has it, and null where only the quantity changed.
const fill = `
  with event as (
    select user_id, version, type, occurred_at, data from cart_events where user_id = any(?::text[])
  ), change as (
    select user_id, version, occurred_at, data ->> 'productId' as product_id,
           (data ->> 'quantity')::integer as quantity,
           case when type = 'ItemAdded' and (data ->> 'previousQuantity')::integer = 0
                then data || jsonb_build_object('addedAt', occurred_at, 'addedVersion', version) end as added
    from event where type in ('ItemAdded', 'ItemQuantityChanged', 'ItemRemoved')
    union all
    select user_id, version, occurred_at, item ->> 'productId', 0, null
    from event, jsonb_array_elements(data -> 'items') as item
    where type in ('CartCleared', 'CartCheckedOut')
    union all
    select user_id, version, occurred_at, item ->> 'productId', (item ->> 'quantity')::integer,
           item || jsonb_build_object('currency', data -> 'currency')
    from event, jsonb_array_elements(data -> 'items') as item
    where type = 'CartRestored'
    union all
    select user_id, version, occurred_at, item ->> 'productId', 0, null
    from event, jsonb_array_elements(data -> 'previousItems') as item
    where type = 'CartRestored'
      and not data -> 'items' @> jsonb_build_array(jsonb_build_object('productId', item -> 'productId'))
  ), numbered as (
    select *, count(added) over (partition by user_id, product_id order by version) as addition from change
  ), line as (
    select user_id, version, occurred_at, product_id, quantity,
           (array_agg(added) over addition_of_line)[1] as added
    from numbered window addition_of_line as (partition by user_id, product_id, addition order by version)
  ), compared as (
    select *, lag(content) over of_line is not distinct from content as is_same
    from line cross join lateral (
      select (quantity, added ->> 'name', added ->> 'unitPrice', added ->> 'addedVersion') as content
    ) as compared
    window of_line as (partition by user_id, product_id order by version)
  ), period as (
    select *, lead(version) over of_line as to_version, lead(occurred_at) over of_line as to_instant
    from compared where not is_same
    window of_line as (partition by user_id, product_id order by version)
  )
  insert into cart_item_history (user_id, product_id, name, quantity, unit_price, currency, added_at, added_version,
                                 versions, during)
  select user_id, product_id, added ->> 'name', quantity, (added ->> 'unitPrice')::bigint, added ->> 'currency',
         (added ->> 'addedAt')::timestamptz, (added ->> 'addedVersion')::integer,
         int4range(version, to_version), tstzrange(occurred_at, to_instant)
  from period where quantity > 0`;

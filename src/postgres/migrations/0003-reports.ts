import type { Knex } from 'knex';

/**
 * Schema `reports`: for analysts, and for the endpoints under /reports. See docs/reports.md.
 *
 * Views read only `cart_events`. A rebuild drops `carts`, `cart_items` and `cart_item_history` and replaces them with
 * new tables. A view on one of them would make the drop fail, or would be dropped with it. So those tables are only
 * read by functions whose body is a string: Postgres looks up the table at each call and records no dependency. A body
 * of `begin atomic` would record one.
 */
export async function up(db: Knex): Promise<void> {
  await db.raw(`create schema reports; ${logViews}; ${lineFunctions}; ${cartFunctions}; ${valueFunction}`);
  await db.raw(analystRole);
}

const lines = 'as l ("productId" text, name text, quantity integer, "unitPrice" bigint)';

const logViews = `
  create index cart_events_of_whole_carts on public.cart_events (occurred_at)
    where type in ('CartCleared', 'CartCheckedOut', 'CartRestored');

  create view reports.checkouts as
    select user_id, version, occurred_at as checked_out_at, data ->> 'currency' as currency,
           (data ->> 'subtotal')::bigint as subtotal, jsonb_array_length(data -> 'items') as lines
    from public.cart_events where type = 'CartCheckedOut';

  create view reports.checkout_lines as
    select user_id, version, occurred_at as checked_out_at, l."productId" as product_id, l.name, l.quantity,
           l."unitPrice" as unit_price, l.quantity * l."unitPrice" as line_total, data ->> 'currency' as currency
    from public.cart_events, jsonb_to_recordset(data -> 'items') ${lines}
    where type = 'CartCheckedOut';

  -- One row for each line an event changed the quantity of. effect: added, removed or bought.
  create view reports.item_changes as
    select user_id, version, occurred_at, type as event_type, data ->> 'productId' as product_id,
           (data ->> 'previousQuantity')::integer as previous_quantity, (data ->> 'quantity')::integer as quantity,
           (data ->> 'quantity')::integer - (data ->> 'previousQuantity')::integer as change,
           case when (data ->> 'quantity')::integer > (data ->> 'previousQuantity')::integer
                then 'added' else 'removed' end as effect
    from public.cart_events where type in ('ItemAdded', 'ItemQuantityChanged', 'ItemRemoved')
    union all
    select user_id, version, occurred_at, type, l."productId", l.quantity, 0, -l.quantity,
           case type when 'CartCheckedOut' then 'bought' else 'removed' end
    from public.cart_events, jsonb_to_recordset(data -> 'items') ${lines}
    where type in ('CartCleared', 'CartCheckedOut')
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
    where type = 'CartRestored' and r.after <> r.before`;

// The functions have the owner's rights, so their callers need no rights on the tables. The fixed search path excludes
// objects of the caller. The memory is enough for the sums of about 100,000 carts. JIT would cost more than it saves.
const asOwner = `language sql stable parallel safe security definer
  set search_path = pg_catalog, pg_temp set work_mem = '64MB' set jit = off`;

const lineFunctions = `
  create function reports.cart_lines_at(at timestamptz default now())
  returns table (user_id text, product_id text, name text, quantity integer, unit_price bigint, line_total bigint,
                 currency text, added_at timestamptz)
  ${asOwner} as $$
    select user_id, product_id, name, quantity, unit_price, quantity * unit_price, currency, added_at
    from public.cart_item_history where during @> at
  $$;

  create function reports.read_line_history()
  returns table (user_id text, product_id text, name text, quantity integer, unit_price bigint, currency text,
                 added_at timestamptz, from_version integer, to_version integer, held_from timestamptz, held_to timestamptz)
  ${asOwner} as $$
    select user_id, product_id, name, quantity, unit_price, currency, added_at, lower(versions), upper(versions),
           lower(during), upper(during)
    from public.cart_item_history
  $$;
  create view reports.line_history as select * from reports.read_line_history();

  create function reports.summary_at(at timestamptz default now(), top_products integer default 10)
  returns table (part text, currency text, product_id text, name text, carts bigint, lines bigint, units bigint,
                 value numeric)
  ${asOwner} as $$
    with line as materialized (
      select user_id, product_id, name, quantity, unit_price, currency from public.cart_item_history where during @> at
    ), cart as (
      select currency, count(*) as lines, sum(quantity) as units, sum(quantity * unit_price) as value
      from line group by user_id, currency
    ), total as (
      select currency, grouping(currency) = 1 as is_total, count(*) as carts, sum(lines) as lines, sum(units) as units,
             sum(value) as value
      from cart group by grouping sets ((), (currency))
    ), product as (
      select product_id, max(name collate "C") as name, count(*) as carts, sum(quantity) as units
      from line group by product_id order by units desc, product_id collate "C" limit top_products
    )
    select case when is_total then 'total' else 'currency' end, currency, null, null, carts, coalesce(lines, 0)::bigint,
           coalesce(units, 0)::bigint, case when not is_total then value end
    from total
    union all
    select 'product', null, product_id, name, carts, carts, units, null from product
  $$`;

const cartRow = `user_id text, version integer, lines bigint, units bigint, value numeric, currency text,
                 open_since timestamptz`;

const openCart = `
  select user_id, count(*) as lines, sum(quantity) as units, sum(quantity * unit_price) as value,
         min(currency) as currency, max(lower(versions)) as known_version, min(lower(during)) as open_at_the_latest
  from public.cart_item_history`;

// The versions in which a cart had any line form ranges. The cart was opened at the start of the range that contains
// `known_version`.
const openedVersion =
  '(select lower(stretch) from unnest(stretches) as stretch where stretch @> known_version) as opened_version';

const versionAt = `
  cross join lateral (
    select e.version from public.cart_events e where e.user_id = opened.user_id and e.occurred_at <= at
    order by e.occurred_at desc, e.version desc limit 1
  ) as latest`;

const cartFunctions = `
  create function reports.open_carts_at(at timestamptz default now(), after_user text default '',
                                        how_many integer default null)
  returns table (${cartRow})
  ${asOwner} as $$
    with open as (
      ${openCart} where during @> at and user_id collate "C" > after_user
      group by user_id order by user_id collate "C" limit how_many
    ), opened as (
      select open.*, ${openedVersion}
      from open, lateral (select range_agg(h.versions) as stretches from public.cart_item_history h
                          where h.user_id = open.user_id) as held
    )
    select user_id, latest.version, lines, units, value, currency, e.occurred_at
    from opened join public.cart_events e using (user_id) ${versionAt}
    where e.version = opened_version
    order by user_id collate "C"
  $$;

  create function reports.longest_open_at(at timestamptz default now(), how_many integer default 20)
  returns table (${cartRow})
  ${asOwner} as $$
    with open as materialized (
      ${openCart} where during @> at group by user_id
    ), candidate as materialized (
      -- Whichever carts are open longest, they were open already when the last of as many carts had surely been opened.
      select * from open where user_id in (
        select h.user_id from public.cart_item_history h
        where h.during @> (select max(latest) from (select open_at_the_latest as latest from open
                                                    order by latest limit how_many) as oldest))
    ), held as (
      select h.user_id, range_agg(h.versions) as stretches
      from public.cart_item_history h join candidate using (user_id)
      where lower(h.versions) <= known_version group by h.user_id
    ), opened as (
      select candidate.*, ${openedVersion} from candidate join held using (user_id)
    ), longest as (
      select opened.*, e.occurred_at as open_since
      from opened join public.cart_events e on e.user_id = opened.user_id and e.version = opened_version
      order by e.occurred_at, opened.user_id collate "C" limit how_many
    )
    select user_id, latest.version, lines, units, value, currency, open_since
    from longest as opened ${versionAt}
    order by open_since, user_id collate "C"
  $$`;

const valueFunction = `
  create function reports.value_over_time("from" timestamptz, "to" timestamptz, step text default 'day')
  returns table (at timestamptz, currency text, open_carts bigint, value numeric)
  ${asOwner} as $$
    with point as (
      select row_number() over (order by start) as n, least((start + ('1 ' || step)::interval) at time zone 'UTC', "to") as at
      from generate_series(date_trunc(step, "from" at time zone 'UTC'), "to" at time zone 'UTC' - interval '1 microsecond',
                           ('1 ' || step)::interval) as start
    ), line as not materialized (
      select user_id, currency, quantity * unit_price as amount, during
      from public.cart_item_history where during && tstzrange("from", "to", '[]')
    ), stretch as (
      select currency, unnest(range_agg(during)) as during from line group by user_id, currency
    ), change as (
      select currency, lower(during) as at, 0 as carts, amount from line
      union all select currency, upper(during), 0, -amount from line
      union all select currency, lower(during), 1, 0 from stretch
      union all select currency, upper(during), -1, 0 from stretch
    ), changed as (
      -- Counts at the first point that is not before it.
      select 1 + width_bucket(change.at - interval '1 microsecond', (select array_agg(point.at order by n) from point)) as n,
             currency, sum(carts) as carts, sum(amount) as amount
      from change where change.at <= "to" group by 1, 2
    )
    select point.at, c.currency, (sum(coalesce(carts, 0)) over so_far)::bigint, sum(coalesce(amount, 0)) over so_far
    from point cross join (select distinct currency from changed) as c
    left join changed on changed.n = point.n and changed.currency = c.currency
    window so_far as (partition by c.currency order by point.n)
    order by c.currency, point.n
  $$`;

// Roles belong to the whole cluster: another database can create this role at the same time, or this user may lack
// the permission to create it.
const analystRole = `
  revoke execute on all functions in schema reports from public;
  do $$
  begin
    if to_regrole('cart_analyst') is null then
      create role cart_analyst nologin;
    end if;
  exception
    when duplicate_object or unique_violation then null;
    when insufficient_privilege then
      raise notice 'Role cart_analyst is not made: % may not create roles. docs/reports.md tells how to add it later.', current_user;
  end $$;
  do $$
  begin
    if to_regrole('cart_analyst') is not null then
      grant usage on schema reports to cart_analyst;
      grant select on all tables in schema reports to cart_analyst;
      grant execute on all functions in schema reports to cart_analyst;
    end if;
  end $$`;

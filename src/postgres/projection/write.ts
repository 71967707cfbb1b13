import type { Knex } from 'knex';
import { channel } from './announcements';
import type { ProjectedRows } from './fold';

/** Writes the rows of different carts, with two statements, and notifies the listeners. The carts must be locked. */
export async function writeRows(trx: Knex.Transaction, carts: readonly ProjectedRows[]): Promise<void> {
  const asJson = (kind: keyof ProjectedRows) => JSON.stringify(carts.flatMap((rows): readonly unknown[] => rows[kind]));
  // A separate statement, because a line's next period cannot be written while its last period is open.
  if (carts.some(({ endedPeriods }) => endedPeriods.length > 0)) {
    await trx.raw(endPeriods, [asJson('endedPeriods')]).options({ name: 'end-periods' });
  }
  const bindings = [
    asJson('commands'),
    asJson('events'),
    asJson('begunPeriods'),
    asJson('removedItems'),
    asJson('changedItems'),
    asJson('carts'),
  ];
  await trx.raw(insertRows, [...bindings, channel]).options({ name: 'insert-rows' });
}

const endPeriods = `
  update cart_item_history h
  set versions = int4range(lower(h.versions), ended.version), during = tstzrange(lower(h.during), ended.at)
  from jsonb_to_recordset(?::jsonb) as ended (user_id text, product_id text, version integer, at timestamptz)
  where h.user_id = ended.user_id and h.product_id = ended.product_id and upper_inf(h.versions)`;

const insertRows = `
  with command as (
    insert into cart_commands (user_id, sequence, command_id, type, actor, issued_at, decided_at, run_id,
                               expected_version, data, outcome, code, reason, hash_format, previous_hash, hash)
    select * from jsonb_to_recordset(?::jsonb) as new (user_id text, sequence integer, command_id text, type text,
           actor text, issued_at timestamptz, decided_at timestamptz, run_id text, expected_version bigint, data jsonb,
           outcome text, code text, reason text, hash_format smallint, previous_hash bytea, hash bytea)
  ), event as (
    insert into cart_events (user_id, version, sequence, type, data, command_id, actor, occurred_at)
    select * from jsonb_to_recordset(?::jsonb) as new (user_id text, version integer, sequence integer, type text,
           data jsonb, command_id text, actor text, occurred_at timestamptz)
  ), line as (
    insert into cart_item_history
      (user_id, product_id, name, quantity, unit_price, currency, added_at, added_version, versions, during,
       attributes)
    select * from jsonb_to_recordset(?::jsonb) as new (user_id text, product_id text, name text, quantity integer,
           unit_price bigint, currency text, added_at timestamptz, added_version integer, versions int4range,
           during tstzrange, attributes jsonb)
  ), removed as (
    delete from cart_items
    using jsonb_to_recordset(?::jsonb) as old (user_id text, product_id text)
    where cart_items.user_id = old.user_id and cart_items.product_id = old.product_id
  ), item as (
    insert into cart_items (user_id, product_id, name, quantity, unit_price, added_at, added_version, attributes)
    select * from jsonb_to_recordset(?::jsonb) as new (user_id text, product_id text, name text, quantity integer,
           unit_price bigint, added_at timestamptz, added_version integer, attributes jsonb)
    on conflict (user_id, product_id) do update
    set name = excluded.name, quantity = excluded.quantity, unit_price = excluded.unit_price,
        added_at = excluded.added_at, added_version = excluded.added_version,
        attributes = excluded.attributes
  ), cart as (
    update carts
    set version = new.version, sequence = new.sequence, status = new.status, currency = new.currency,
        item_count = new.item_count, subtotal = new.subtotal, head_hash = new.head_hash, updated_at = new.updated_at,
        handed_over_to = new.handed_over_to, note = new.note
    from jsonb_to_recordset(?::jsonb) as new (user_id text, version integer, sequence integer, status text,
           currency text, item_count integer, subtotal bigint, head_hash bytea, updated_at timestamptz,
           handed_over_to text, note text)
    where carts.user_id = new.user_id
    returning carts.user_id
  )
  select pg_notify(?, user_id) from cart`;

import type { Knex } from 'knex';
import type { RecordedDecision } from '../domain/handle';
import type { Cart } from '../domain/state';
import { channel } from './announcements';
import { toCartColumns, toItemRow } from './cart-rows';
import { chain } from './hash-chain';
import { stretchesOf, toHistoryRow } from './item-history';
import { hex, toCommandRows, toEventRows } from './log-rows';

/** New decisions of one cart, with what it was before them and is after them. */
export interface ProjectedBatch {
  readonly userId: string;
  /** The hash of the last event before these. */
  readonly headHash: Buffer;
  readonly decisions: readonly RecordedDecision[];
  readonly before: Cart;
  readonly after: Cart;
}

/** Writes batches of different carts, which the transaction has locked, in two statements however many they are. */
export async function writeBatches(trx: Knex.Transaction, batches: readonly ProjectedBatch[]): Promise<void> {
  const rows = batches.map(rowsOf);
  const all = (table: keyof Rows) => JSON.stringify(rows.flatMap((own): readonly unknown[] => own[table]));
  // By itself and first: a line's next stretch may only be written when its last one has an end.
  if (rows.some(({ ended }) => ended.length > 0)) {
    await trx.raw(endStretches, [all('ended')]).options({ name: 'end-stretches' });
  }
  const bindings = [all('commands'), all('events'), all('stretches'), all('removed'), all('items'), all('carts')];
  await trx.raw(writeRows, [...bindings, channel]).options({ name: 'write-rows' });
}

type Rows = ReturnType<typeof rowsOf>;

function rowsOf({ userId, headHash, decisions, before, after }: ProjectedBatch) {
  const events = decisions.flatMap((decision) => decision.events);
  const chained = chain(headHash, userId, events);
  const { ended, stretches } = stretchesOf(before, events);
  const kept = new Set(after.items.map((item) => item.productId));
  const last = chained.at(-1)?.hash ?? headHash;
  return {
    commands: toCommandRows(userId, decisions),
    events: toEventRows(userId, decisions, chained),
    ended: ended.map((end) => ({ user_id: userId, ...end })),
    stretches: stretches.map((stretch) => ({ user_id: userId, ...toHistoryRow(stretch) })),
    removed: before.items
      .filter(({ productId }) => !kept.has(productId))
      .map((item) => ({ user_id: userId, product_id: item.productId })),
    items: after.items.filter((item) => !before.items.includes(item)).map((item) => toItemRow(userId, item)),
    carts: [{ user_id: userId, ...toCartColumns(after), sequence: decisions.at(-1)!.sequence, head_hash: hex(last) }],
  };
}

const endStretches = `
  update cart_item_history h
  set versions = int4range(lower(h.versions), ended.version), during = tstzrange(lower(h.during), ended.at)
  from jsonb_to_recordset(?::jsonb) as ended (user_id text, product_id text, version integer, at timestamptz)
  where h.user_id = ended.user_id and h.product_id = ended.product_id and upper_inf(h.versions)`;

const writeRows = `
  with command as (
    insert into cart_commands (user_id, sequence, command_id, type, actor, issued_at, decided_at, run_id,
                               expected_version, data, outcome, code, reason)
    select user_id, sequence,
           coalesce((select new.repeated_id from cart_commands old
                     where old.user_id = new.user_id and old.command_id = new.command_id), command_id),
           type, actor, issued_at, decided_at, run_id, expected_version, data, outcome, code, reason
    from jsonb_to_recordset(?::jsonb) as new (user_id text, sequence integer, command_id text, repeated_id text,
           type text, actor text, issued_at timestamptz, decided_at timestamptz, run_id text, expected_version bigint,
           data jsonb, outcome text, code text, reason text)
  ), event as (
    insert into cart_events (user_id, version, sequence, type, data, command_id, actor, occurred_at, previous_hash, hash)
    select * from jsonb_to_recordset(?::jsonb) as new (user_id text, version integer, sequence integer, type text,
           data jsonb, command_id text, actor text, occurred_at timestamptz, previous_hash bytea, hash bytea)
  ), stretch as (
    insert into cart_item_history
      (user_id, product_id, name, quantity, unit_price, currency, added_at, added_version, versions, during)
    select user_id, product_id, name, quantity, unit_price, currency, added_at, added_version,
           int4range(from_version, to_version), tstzrange(from_at, to_at)
    from jsonb_to_recordset(?::jsonb) as new (user_id text, product_id text, name text, quantity integer,
           unit_price bigint, currency text, added_at timestamptz, added_version integer, from_version integer,
           to_version integer, from_at timestamptz, to_at timestamptz)
  ), removed as (
    delete from cart_items
    using jsonb_to_recordset(?::jsonb) as old (user_id text, product_id text)
    where cart_items.user_id = old.user_id and cart_items.product_id = old.product_id
  ), item as (
    insert into cart_items (user_id, product_id, name, quantity, unit_price, added_at, added_version)
    select * from jsonb_to_recordset(?::jsonb) as new (user_id text, product_id text, name text, quantity integer,
           unit_price bigint, added_at timestamptz, added_version integer)
    on conflict (user_id, product_id) do update
    set name = excluded.name, quantity = excluded.quantity, unit_price = excluded.unit_price,
        added_at = excluded.added_at, added_version = excluded.added_version
  ), cart as (
    update carts
    set version = new.version, sequence = new.sequence, status = new.status, currency = new.currency,
        item_count = new.item_count, subtotal = new.subtotal, head_hash = new.head_hash, updated_at = new.updated_at
    from jsonb_to_recordset(?::jsonb) as new (user_id text, version integer, sequence integer, status text,
           currency text, item_count integer, subtotal bigint, head_hash bytea, updated_at timestamptz)
    where carts.user_id = new.user_id
    returning carts.user_id
  )
  select pg_notify(?, user_id) from cart`;

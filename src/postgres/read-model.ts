import type { CartEvent } from '../domain/events';
import { evolve } from '../domain/evolve';
import { emptyCart } from '../domain/state';
import { toCartColumns, toItemRow } from './cart-rows';
import { stretchesOf, toHistoryRow } from './item-history';

/** The tables that can be rebuilt from the log at any time, in an order in which they can be filled. */
export const readModelTables = ['carts', 'cart_items', 'cart_item_history'] as const;

/** The whole read model of one cart, computed from its log alone. */
export interface ReadModel {
  readonly carts: readonly Readonly<Record<string, unknown>>[];
  readonly cart_items: readonly Readonly<Record<string, unknown>>[];
  readonly cart_item_history: readonly Readonly<Record<string, unknown>>[];
}

/**
 * What the read model must hold for a cart with this log.
 * @param sequence the number of its decisions.
 * @param headHash the hash of its last event, in hexadecimal.
 */
export function readModelOf(
  userId: string,
  sequence: number,
  events: readonly CartEvent[],
  headHash: string,
): ReadModel {
  const cart = events.reduce(evolve, emptyCart);
  const row = { user_id: userId, ...toCartColumns(cart), sequence, head_hash: `\\x${headHash}` };
  const items = cart.items.map((item) => toItemRow(userId, item));
  const history = stretchesOf(emptyCart, events).stretches.map((stretch) => {
    const { from_version, to_version, from_at, to_at, ...rest } = toHistoryRow(stretch);
    return {
      user_id: userId,
      ...rest,
      versions: `[${from_version},${to_version ?? ''})`,
      during: to_at === from_at ? 'empty' : `["${from_at}",${to_at === null ? '' : `"${to_at}"`})`,
    };
  });
  return { carts: [row], cart_items: items, cart_item_history: history };
}

/** The tables as the migrations have made them, for a schema of any name. Held against those by a test. */
export const readModelDefinition = `
  create table carts (
    user_id    text primary key,
    version    integer not null default 0,
    sequence   integer not null default 0,
    status     text not null default 'empty' check (status in ('empty', 'open')),
    currency   text,
    item_count integer not null default 0,
    subtotal   bigint not null default 0,
    head_hash  bytea not null default decode(repeat('00', 32), 'hex'),
    updated_at timestamptz(3)
  );
  create table cart_items (
    user_id       text not null references carts,
    product_id    text not null,
    name          text not null,
    quantity      integer not null check (quantity > 0),
    unit_price    bigint not null,
    added_at      timestamptz(3) not null,
    added_version integer not null,
    primary key (user_id, product_id)
  );
  create table cart_item_history (
    user_id       text not null,
    product_id    text not null,
    name          text not null,
    quantity      integer not null check (quantity > 0),
    unit_price    bigint not null,
    currency      text not null,
    added_at      timestamptz(3) not null,
    added_version integer not null,
    versions      int4range not null,
    during        tstzrange not null,
    constraint no_overlap exclude using gist (user_id with =, versions with &&, product_id with =)
  );
  create index cart_item_history_open on cart_item_history (user_id, product_id) where upper_inf(versions);
  create index cart_item_history_during on cart_item_history using gist (during);
`;

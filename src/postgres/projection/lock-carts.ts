import type { Knex } from 'knex';
import type { Cart } from '../../domain/state';
import { groupByUser } from '../group-by-user';
import { type CartItemRow, type CartRow, toItem } from '../read-model/rows';

/** A cart in the read model. Its row is locked until the end of the transaction. */
export interface LockedCart {
  readonly userId: string;
  /** The number of its decisions. */
  readonly sequence: number;
  /** The hash of its last event. */
  readonly headHash: Buffer;
  readonly cart: Cart;
}

/** Locks the carts of these users, in order of user id to prevent deadlocks. It creates the carts that are missing. */
export async function lockCarts(
  trx: Knex.Transaction,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, LockedCart>> {
  const inOrder = [...userIds].sort();
  const rows = await lockRows(trx, inOrder);
  const missing = inOrder.filter((userId) => !rows.has(userId));
  if (missing.length > 0) {
    await trx.raw(insertCarts, [missing]).options({ name: 'insert-carts' });
    for (const [userId, row] of await lockRows(trx, missing)) rows.set(userId, row);
  }
  // A separate statement after the locks: it also reads what the previous holders of the locks have written.
  const items = await trx.raw(itemsOfCarts, [inOrder]).options({ name: 'items-of-carts' });
  const itemsByUser = groupByUser<CartItemRow>(items.rows);
  return new Map([...rows].map(([userId, row]) => [userId, toLockedCart(row, itemsByUser.get(userId) ?? [])]));
}

async function lockRows(trx: Knex.Transaction, userIds: readonly string[]): Promise<Map<string, CartRow>> {
  const { rows } = await trx.raw(lockCartRows, [[...userIds]]).options({ name: 'lock-carts' });
  return new Map(rows.map((row: CartRow) => [row.user_id, row]));
}

const toLockedCart = (row: CartRow, items: readonly CartItemRow[]): LockedCart => ({
  userId: row.user_id,
  sequence: row.sequence,
  headHash: row.head_hash,
  cart: {
    version: row.version,
    currency: row.currency,
    items: items.map(toItem),
    updatedAt: row.updated_at?.toISOString() ?? null,
  },
});

const lockCartRows = `
  select user_id, version, sequence, status, currency, item_count, subtotal, head_hash, updated_at
  from carts where user_id = any(?::text[]) order by user_id for update`;

const insertCarts = 'insert into carts (user_id) select unnest(?::text[]) on conflict do nothing';

const itemsOfCarts = `
  select user_id, product_id, name, quantity, unit_price, added_at, added_version
  from cart_items where user_id = any(?::text[]) order by user_id, added_version`;

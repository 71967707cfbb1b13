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

/** What to do about a cart that another transaction has locked. */
export type WhenLocked = 'wait' | 'skip';

/**
 * Locks the carts of these users; it creates those that do not exist yet. All transactions lock in order of user id.
 * @returns the locked carts, by user: with `skip`, without those that another transaction has locked.
 */
export async function lockCarts(
  trx: Knex.Transaction,
  userIds: readonly string[],
  whenLocked: WhenLocked,
): Promise<ReadonlyMap<string, LockedCart>> {
  const inOrder = [...userIds].sort();
  const rows = await lockRows(trx, inOrder, whenLocked);
  const missing = inOrder.filter((userId) => !rows.has(userId));
  if (missing.length > 0) {
    // Two transactions may create the same cart: the second one would wait for the first one to end.
    if (whenLocked === 'skip') await trx.raw(`set local lock_timeout = ${createTimeoutMs}`);
    await trx.raw(insertCarts, [missing]).options({ name: 'insert-carts' });
    for (const [userId, row] of await lockRows(trx, missing, whenLocked)) rows.set(userId, row);
  }
  // A statement of its own, after the locks: it sees what the transactions wrote that held them before.
  const items = await trx.raw(itemsOfCarts, [[...rows.keys()]]).options({ name: 'items-of-carts' });
  const itemsByUser = groupByUser<CartItemRow>(items.rows);
  return new Map([...rows].map(([userId, row]) => [userId, toLockedCart(row, itemsByUser.get(userId) ?? [])]));
}

const createTimeoutMs = 100;

async function lockRows(
  trx: Knex.Transaction,
  userIds: readonly string[],
  whenLocked: WhenLocked,
): Promise<Map<string, CartRow>> {
  const statement = whenLocked === 'skip' ? `${lockCartRows} skip locked` : lockCartRows;
  const { rows } = await trx.raw(statement, [[...userIds]]).options({ name: `lock-carts-${whenLocked}` });
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

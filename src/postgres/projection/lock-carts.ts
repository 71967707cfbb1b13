import type { Knex } from 'knex';
import type { Cart } from '../../domain/state';
import { groupByUser } from '../group-by-user';
import { genesisOf, type SaltedUser } from '../log/hash-chain';
import { type CartItemRow, type CartRow, toItem } from '../read-model/rows';
import { ensureSalts, newSalts } from './salts';

/** A cart in the read model. Its row is locked until the end of the transaction. */
export interface LockedCart extends SaltedUser {
  /** The number of its decisions. */
  readonly sequence: number;
  /** The hash of its last decision; null where that has none yet, as the log is older than the chain over decisions. */
  readonly headHash: Buffer | null;
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
    await trx.raw(insertCarts, [newSalts(missing)]).options({ name: 'insert-carts' });
    for (const [userId, row] of await lockRows(trx, missing, whenLocked)) rows.set(userId, row);
  }
  const contents = await readContents(trx, [...rows.keys()]);
  return new Map([...rows].map(([userId, row]) => [userId, toLockedCart(row, contents.get(userId)!)]));
}

/**
 * What the log and the read model have of locked carts. This is a statement of its own, after the locks: it sees what
 * the transactions wrote that held them before. There is one row for each item; a cart without items has one row.
 */
async function readContents(
  trx: Knex.Transaction,
  userIds: readonly string[],
): Promise<ReadonlyMap<string, readonly ContentRow[]>> {
  const { rows } = await trx.raw(contentsOfCarts, [[...userIds]]).options({ name: 'contents-of-carts' });
  const unsalted = rows.filter((row: ContentRow) => row.salt === null).map((row: ContentRow) => row.user_id);
  if (unsalted.length === 0) return groupByUser<ContentRow>(rows);
  // Carts that are older than the salts.
  await ensureSalts(trx, unsalted);
  return readContents(trx, userIds);
}

interface ContentRow extends CartItemRow {
  readonly salt: Buffer | null;
  readonly head_hash: Buffer | null;
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

function toLockedCart(row: CartRow, contents: readonly ContentRow[]): LockedCart {
  const { salt, head_hash: headHash } = contents[0]!;
  const user = { userId: row.user_id, salt: salt! };
  return {
    ...user,
    sequence: row.sequence,
    headHash: row.sequence === 0 ? genesisOf('decisions', user) : headHash,
    cart: {
      version: row.version,
      currency: row.currency,
      items: contents.filter(({ product_id }) => product_id !== null).map(toItem),
      updatedAt: row.updated_at?.toISOString() ?? null,
      ...(row.note === null ? {} : { note: row.note }),
      ...(row.handed_over_to === null ? {} : { handedOverTo: row.handed_over_to }),
    },
  };
}

const lockCartRows = `
  select user_id, version, sequence, status, currency, item_count, subtotal, updated_at,
         handed_over_to, note
  from carts where user_id = any(?::text[]) order by user_id for update`;

const insertCarts = `
  with salted as materialized (
    select user_id, salt from jsonb_to_recordset(?::jsonb) as new (user_id text, salt bytea) order by user_id
  ), users as (
    insert into cart_users (user_id, salt) select user_id, salt from salted on conflict do nothing
  )
  insert into carts (user_id) select user_id from salted on conflict do nothing`;

const contentsOfCarts = `
  select c.user_id, u.salt, last.hash as head_hash, i.product_id, i.name, i.quantity, i.unit_price, i.added_at,
         i.added_version, i.attributes
  from carts c
  left join cart_users u on u.user_id = c.user_id
  left join cart_commands last on last.user_id = c.user_id and last.sequence = c.sequence
  left join cart_items i on i.user_id = c.user_id
  where c.user_id = any(?::text[]) order by c.user_id, i.added_version`;

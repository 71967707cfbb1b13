import type { Knex } from 'knex';
import { type Cart, emptyCart } from '../../domain/state';
import { noteAt } from './note';
import { type CartItemRow, toItem } from './rows';

/** Reads a cart of the domain at a version. Returns undefined if the cart has no such version. */
export async function readCartAt(db: Knex, userId: string, version: number): Promise<Cart | undefined> {
  if (version === 0) return emptyCart;
  const event = await db('cart_events as e')
    .where({ user_id: userId, version })
    .first('occurred_at', db.raw(`${noteAt('e')} as note`));
  if (event === undefined) return undefined;
  const rows = await db<CartItemRow & { currency: string }>('cart_item_history')
    .where({ user_id: userId })
    .whereRaw('versions @> ?::integer', [version])
    .orderBy('added_version');
  return {
    version,
    currency: rows[0]?.currency ?? null,
    items: rows.map(toItem),
    updatedAt: event.occurred_at.toISOString(),
    ...(event.note === null ? {} : { note: event.note }),
  };
}

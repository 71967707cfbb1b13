import type { Knex } from 'knex';
import type { CartView } from '../http/shapes';
import { createLookUp } from '../postgres/look-up';

/** SQL that formats an instant for clients. */
export const toInstantText = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** An SQL aggregate: the lines of a cart in the form that clients receive, in the order in which they were added. */
export const linesAsJson = `coalesce(
  json_agg(json_build_object(
    'productId', product_id, 'name', name, 'quantity', quantity, 'unitPrice', unit_price,
    'lineTotal', quantity * unit_price, 'addedAt', ${toInstantText('added_at')}) order by added_version),
  '[]')`;

// One statement, so that a cart and its items have the same version.
const selectCarts = `
  select user_id as "userId", version, status, currency, item_count as "itemCount", subtotal,
         ${toInstantText('updated_at')} as "updatedAt",
         (select ${linesAsJson} from cart_items where cart_items.user_id = carts.user_id) as items
  from carts where user_id = any(?::text[])`;

/** Reads the current cart of a user. An unused cart is empty, at version 0. */
export type ReadCart = (userId: string) => Promise<CartView>;

/** Calls that are made at the same time share one statement. Nothing is cached. */
export function createCartReader(db: Knex): ReadCart {
  const lookUp = createLookUp(async (userIds) => {
    const { rows } = await db.raw(selectCarts, [[...userIds]]).options({ name: 'carts-now' });
    return new Map<string, CartView>(rows.map((cart: CartView) => [cart.userId, cart]));
  });
  return async (userId) => (await lookUp(userId)) ?? { userId, ...unusedCart };
}

const unusedCart: Omit<CartView, 'userId'> = {
  version: 0,
  status: 'empty',
  currency: null,
  itemCount: 0,
  subtotal: 0,
  updatedAt: null,
  items: [],
};

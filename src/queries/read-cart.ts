import type { Knex } from 'knex';
import { createLookUp } from '../postgres/look-up';

/** A cart as the storefront sees it. Money in minor units, instants in RFC 3339 with milliseconds, UTC. */
export interface CartView {
  readonly userId: string;
  readonly version: number;
  readonly status: string;
  readonly currency: string | null;
  readonly itemCount: number;
  readonly subtotal: number;
  readonly updatedAt: string | null;
  readonly items: readonly {
    readonly productId: string;
    readonly name: string;
    readonly quantity: number;
    readonly unitPrice: number;
    readonly lineTotal: number;
    readonly addedAt: string;
  }[];
}

/** SQL: an instant as all answers have it. */
export const toInstantText = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** SQL, an aggregate: lines as a cart shows them, in the order in which they were put there. */
export const linesAsJson = `coalesce(
  json_agg(json_build_object(
    'productId', product_id, 'name', name, 'quantity', quantity, 'unitPrice', unit_price,
    'lineTotal', quantity * unit_price, 'addedAt', ${toInstantText('added_at')}) order by added_version),
  '[]')`;

// One statement, so that a cart and its items are of the same version.
const selectCarts = `
  select user_id as "userId", version, status, currency, item_count as "itemCount", subtotal,
         ${toInstantText('updated_at')} as "updatedAt",
         (select ${linesAsJson} from cart_items where cart_items.user_id = carts.user_id) as items
  from carts where user_id = any(?::text[])`;

/** Gives a cart as it is now. One that nobody used is empty, at version 0. */
export type ReadCart = (userId: string) => Promise<CartView>;

/** Reads with one statement what is asked for at the same moment, and keeps nothing. */
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

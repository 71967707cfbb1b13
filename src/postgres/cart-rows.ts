import type { Knex } from 'knex';
import type { CartEvent, CartItem } from '../domain/events';
import { type Cart, itemCountOf, statusOf, subtotalOf } from '../domain/state';

export interface CartRow {
  user_id: string;
  version: number;
  sequence: number;
  status: string;
  currency: string | null;
  item_count: number;
  subtotal: number;
  head_hash: Buffer;
  updated_at: Date | null;
}

export interface CartItemRow {
  user_id: string;
  product_id: string;
  name: string;
  quantity: number;
  unit_price: number;
  added_at: Date;
  added_version: number;
}

export interface CartEventRow {
  version: number;
  type: string;
  data: unknown;
  command_id: string;
  actor: string;
  occurred_at: Date;
}

export const eventColumns = ['version', 'type', 'data', 'command_id', 'actor', 'occurred_at'] as const;

export const toEvent = (row: CartEventRow): CartEvent =>
  ({
    version: row.version,
    type: row.type,
    data: row.data,
    occurredAt: row.occurred_at.toISOString(),
    commandId: row.command_id,
    actor: row.actor,
  }) as CartEvent;

/** The cart a row of `carts` and its items stand for, as the domain sees it. */
export async function readCart(db: Knex, row: CartRow): Promise<Cart> {
  const items = await db<CartItemRow>('cart_items').where({ user_id: row.user_id }).orderBy('added_version');
  return {
    version: row.version,
    currency: row.currency,
    items: items.map(toItem),
    updatedAt: row.updated_at?.toISOString() ?? null,
  };
}

export const toItem = (row: CartItemRow): CartItem => ({
  productId: row.product_id,
  name: row.name,
  unitPrice: row.unit_price,
  quantity: row.quantity,
  addedAt: row.added_at.toISOString(),
  addedVersion: row.added_version,
});

/** What a cart's row tells of the cart itself. */
export const toCartColumns = (cart: Cart) => ({
  version: cart.version,
  status: statusOf(cart),
  currency: cart.currency,
  item_count: itemCountOf(cart.items),
  subtotal: subtotalOf(cart.items),
  updated_at: cart.updatedAt,
});

export const toItemRow = (userId: string, item: CartItem) => ({
  user_id: userId,
  product_id: item.productId,
  name: item.name,
  quantity: item.quantity,
  unit_price: item.unitPrice,
  added_at: item.addedAt,
  added_version: item.addedVersion,
});

import type { CartItem } from '../../domain/events';
import { type Attributes, lineIdOf, toLineRef } from '../../domain/lines';
import { type Cart, itemCountOf, statusOf, subtotalOf } from '../../domain/state';
import type { LinePeriod } from './line-periods';

export interface CartRow {
  user_id: string;
  version: number;
  sequence: number;
  status: string;
  currency: string | null;
  item_count: number;
  subtotal: number;
  updated_at: Date | null;
  handed_over_to: string | null;
  note: string | null;
}

export interface CartItemRow {
  user_id: string;
  /** The id of the line. */
  product_id: string;
  attributes: Attributes | null;
  name: string;
  quantity: number;
  unit_price: number;
  added_at: Date;
  added_version: number;
}

export const toItem = (row: CartItemRow): CartItem => ({
  ...toLineRef(row.product_id),
  ...(row.attributes === null ? {} : { attributes: row.attributes }),
  name: row.name,
  unitPrice: row.unit_price,
  quantity: row.quantity,
  addedAt: row.added_at.toISOString(),
  addedVersion: row.added_version,
});

/**
 * The row of `carts`.
 * @param sequence the number of the cart's decisions.
 * @param headHash the hash of its last decision, in the text form of Postgres.
 */
export const toCartRow = (userId: string, cart: Cart, sequence: number, headHash: string) => ({
  user_id: userId,
  version: cart.version,
  sequence,
  status: statusOf(cart),
  currency: cart.currency,
  item_count: itemCountOf(cart.items),
  subtotal: subtotalOf(cart.items),
  head_hash: headHash,
  updated_at: cart.updatedAt,
  handed_over_to: cart.handedOverTo ?? null,
  note: cart.note ?? null,
});

export const toItemRow = (userId: string, item: CartItem) => ({
  user_id: userId,
  product_id: lineIdOf(item),
  attributes: item.attributes ?? null,
  name: item.name,
  quantity: item.quantity,
  unit_price: item.unitPrice,
  added_at: item.addedAt,
  added_version: item.addedVersion,
});

/** The row of `cart_item_history`. `during` is empty if the period starts and ends in the same millisecond. */
export const toLinePeriodRow = (userId: string, { item, currency, from, to }: LinePeriod) => ({
  ...toItemRow(userId, item),
  currency,
  versions: `[${from.version},${to?.version ?? ''})`,
  during: to?.occurredAt === from.occurredAt ? 'empty' : `["${from.occurredAt}",${to ? `"${to.occurredAt}"` : ''})`,
});

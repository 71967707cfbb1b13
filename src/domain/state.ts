import type { CartItem, Line } from './events';
import { lineIdOf } from './lines';

/** A cart after `version` events. */
export interface Cart {
  readonly version: number;
  readonly currency: string | null;
  readonly items: readonly CartItem[];
  readonly updatedAt: string | null;
  readonly note?: string;
  /** The user to whom a guest's cart was handed over. It takes no commands any more. */
  readonly handedOverTo?: string;
}

export const emptyCart: Cart = { version: 0, currency: null, items: [], updatedAt: null };

export type CartStatus = 'empty' | 'open' | 'merged';

export function statusOf(cart: Cart): CartStatus {
  if (cart.handedOverTo !== undefined) return 'merged';
  return cart.items.length === 0 ? 'empty' : 'open';
}

/** The number of units in the cart: the sum of the lines' quantities. */
export function itemCountOf(items: readonly Line[]): number {
  return items.reduce((sum, item) => sum + item.quantity, 0);
}

/** The sum of all lines in minor units. The `limits` keep it a safe integer. */
export function subtotalOf(items: readonly Line[]): number {
  return items.reduce((sum, item) => sum + item.quantity * item.unitPrice, 0);
}

/** Whether two lines are equal, including their position in the cart. */
export function isSameItem(item: CartItem, other: CartItem | undefined): boolean {
  return (
    item === other ||
    (other !== undefined &&
      lineIdOf(item) === lineIdOf(other) &&
      item.quantity === other.quantity &&
      item.unitPrice === other.unitPrice &&
      item.name === other.name &&
      item.addedVersion === other.addedVersion)
  );
}

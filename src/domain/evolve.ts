import type { CartEvent, CartItem } from './events';
import type { Cart } from './state';

/** Applies an event to the cart. Pure, and never throws. Folding all events from `emptyCart` gives the current cart. */
export function evolve(cart: Cart, event: CartEvent): Cart {
  const items = itemsAfter(cart.items, event);
  const handedOverTo = event.type === 'CartHandedOver' ? event.data.to : cart.handedOverTo;
  return {
    version: event.version,
    currency: items.length === 0 ? null : 'currency' in event.data ? event.data.currency : cart.currency,
    items,
    updatedAt: event.occurredAt,
    ...(handedOverTo === undefined ? {} : { handedOverTo }),
  };
}

function itemsAfter(items: readonly CartItem[], event: CartEvent): readonly CartItem[] {
  switch (event.type) {
    case 'ItemAdded': {
      const { productId, name, unitPrice, quantity } = event.data;
      return items.some((item) => item.productId === productId)
        ? withQuantity(items, productId, quantity)
        : [...items, { productId, name, unitPrice, quantity, addedAt: event.occurredAt, addedVersion: event.version }];
    }
    case 'ItemQuantityChanged':
      return withQuantity(items, event.data.productId, event.data.quantity);
    case 'ItemRepriced': {
      const { productId, unitPrice } = event.data;
      return items.map((item) => (item.productId === productId ? { ...item, unitPrice } : item));
    }
    case 'ItemRemoved':
      return items.filter((item) => item.productId !== event.data.productId);
    case 'CartCleared':
    case 'CartCheckedOut':
    case 'CartHandedOver':
      return [];
    case 'CartMerged':
      return items;
    case 'CartRestored':
      return event.data.items;
    default:
      return unreachable(event);
  }
}

function withQuantity(items: readonly CartItem[], productId: string, quantity: number): readonly CartItem[] {
  return items.map((item) => (item.productId === productId ? { ...item, quantity } : item));
}

function unreachable(event: never): never {
  throw new Error(`No rule for event ${JSON.stringify(event)}`);
}

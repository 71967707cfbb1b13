import { type CartEvent, type CartItem, identityOf } from './events';
import { type LineRef, lineIdOf } from './lines';
import type { Cart } from './state';

/** Applies an event to the cart. Pure, and never throws. Folding all events from `emptyCart` gives the current cart. */
export function evolve(cart: Cart, event: CartEvent): Cart {
  const items = itemsAfter(cart.items, event);
  const note = noteAfter(cart.note, event);
  const handedOverTo = event.type === 'CartHandedOver' ? event.data.to : cart.handedOverTo;
  return {
    version: event.version,
    currency: items.length === 0 ? null : 'currency' in event.data ? event.data.currency : cart.currency,
    items,
    updatedAt: event.occurredAt,
    ...(note === undefined ? {} : { note }),
    ...(handedOverTo === undefined ? {} : { handedOverTo }),
  };
}

function noteAfter(note: string | undefined, event: CartEvent): string | undefined {
  switch (event.type) {
    case 'NoteChanged':
    case 'CartRestored':
      return event.data.note === undefined ? note : (event.data.note ?? undefined);
    case 'CartCheckedOut':
    case 'CartHandedOver':
      return undefined;
    default:
      return note;
  }
}

function itemsAfter(items: readonly CartItem[], event: CartEvent): readonly CartItem[] {
  switch (event.type) {
    case 'ItemAdded': {
      const { name, unitPrice, quantity } = event.data;
      if (items.some((item) => lineIdOf(item) === lineIdOf(event.data)))
        return withChange(items, event.data, { quantity });
      const added = { name, unitPrice, quantity, addedAt: event.occurredAt, addedVersion: event.version };
      return [...items, { ...identityOf(event.data), ...added }];
    }
    case 'ItemQuantityChanged':
      return withChange(items, event.data, { quantity: event.data.quantity });
    case 'ItemRepriced':
      return withChange(items, event.data, { unitPrice: event.data.unitPrice });
    case 'ItemRemoved':
      return items.filter((item) => lineIdOf(item) !== lineIdOf(event.data));
    case 'CartCleared':
    case 'CartCheckedOut':
    case 'CartHandedOver':
      return [];
    case 'CartMerged':
    case 'NoteChanged':
      return items;
    case 'CartRestored':
      return event.data.items;
    default:
      return unreachable(event);
  }
}

function withChange(items: readonly CartItem[], line: LineRef, change: Partial<CartItem>): readonly CartItem[] {
  const lineId = lineIdOf(line);
  return items.map((item) => (lineIdOf(item) === lineId ? { ...item, ...change } : item));
}

function unreachable(event: never): never {
  throw new Error(`No rule for event ${JSON.stringify(event)}`);
}

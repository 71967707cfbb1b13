/** What one line of a cart holds: the product as the catalogue had it when the line was added. */
export interface Line {
  readonly productId: string;
  readonly name: string;
  readonly unitPrice: number;
  readonly quantity: number;
}

/** A line with its place in the cart: lines stand in the order of the versions that put them there. */
export interface CartItem extends Line {
  readonly addedAt: string;
  readonly addedVersion: number;
}

/**
 * The facts a cart's log is made of. They are stored for good: a field may be added, none renamed or removed.
 * Quantities are the resulting ones; `previousQuantity` is what they were.
 */
export type EventFact =
  | {
      readonly type: 'ItemAdded';
      readonly data: Line & { readonly currency: string; readonly previousQuantity: number };
    }
  | {
      readonly type: 'ItemQuantityChanged';
      readonly data: { readonly productId: string; readonly quantity: number; readonly previousQuantity: number };
    }
  | {
      readonly type: 'ItemRemoved';
      readonly data: { readonly productId: string; readonly quantity: 0; readonly previousQuantity: number };
    }
  | { readonly type: 'CartCleared'; readonly data: { readonly items: readonly Line[] } }
  | {
      readonly type: 'CartCheckedOut';
      readonly data: { readonly items: readonly Line[]; readonly currency: string; readonly subtotal: number };
    }
  | {
      readonly type: 'CartRestored';
      readonly data: {
        readonly restoredVersion: number;
        readonly items: readonly CartItem[];
        readonly currency: string | null;
        readonly previousItems: readonly Line[];
      };
    };

export type EventType = EventFact['type'];

/** An event as it stands in the log: the n-th event of a cart has version n. Instants are RFC 3339, UTC, milliseconds. */
export type CartEvent = EventFact & {
  readonly version: number;
  readonly occurredAt: string;
  readonly commandId: string;
  readonly actor: string;
};

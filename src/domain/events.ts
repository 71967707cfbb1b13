import type { MergeStrategy } from './commands';
import { type Attributes, type LineRef, refOfLine } from './lines';

/** One line of a cart. Name and price are those of the catalogue at the time when the line was added. */
export interface Line extends LineRef {
  readonly attributes?: Attributes | undefined;
  readonly name: string;
  readonly unitPrice: number;
  readonly quantity: number;
}

export const asLine = ({ name, unitPrice, quantity, ...line }: Line): Line => ({
  ...identityOf(line),
  name,
  unitPrice,
  quantity,
});

/** What makes a line another one than the others of its product. */
export const identityOf = ({ attributes, ...line }: Pick<Line, keyof LineRef | 'attributes'>) => ({
  ...refOfLine(line),
  ...(attributes === undefined ? {} : { attributes }),
});

/** A line with the event that added it. A cart lists its lines in the order of `addedVersion`. */
export interface CartItem extends Line {
  readonly addedAt: string;
  readonly addedVersion: number;
}

/**
 * The events of a cart, without version and envelope. They are stored permanently: add fields if needed, but never
 * rename or remove one. `quantity` is the quantity after the event, `previousQuantity` the one before it.
 */
export type EventFact =
  | {
      readonly type: 'ItemAdded';
      readonly data: Line & { readonly currency: string; readonly previousQuantity: number } & Merged;
    }
  | {
      readonly type: 'ItemQuantityChanged';
      readonly data: LineRef & { readonly quantity: number; readonly previousQuantity: number } & Merged;
    }
  | {
      readonly type: 'ItemRemoved';
      readonly data: LineRef & { readonly quantity: 0; readonly previousQuantity: number };
    }
  | {
      /** The price of today was accepted. */
      readonly type: 'ItemRepriced';
      readonly data: LineRef & { readonly unitPrice: number; readonly previousUnitPrice: number };
    }
  | { readonly type: 'NoteChanged'; readonly data: ChangedNote & Merged }
  | { readonly type: 'CartCleared'; readonly data: { readonly items: readonly Line[] } }
  | {
      readonly type: 'CartCheckedOut';
      readonly data: {
        readonly items: readonly Line[];
        readonly currency: string;
        readonly subtotal: number;
        /** What the customer asked for with this purchase; the cart has no note afterwards. */
        readonly note?: string;
      };
    }
  | {
      readonly type: 'CartRestored';
      readonly data: {
        readonly restoredVersion: number;
        readonly items: readonly CartItem[];
        readonly currency: string | null;
        readonly previousItems: readonly Line[];
      } & Partial<ChangedNote>;
    }
  | {
      /** The last event of a guest's cart: it is empty then, and closed. */
      readonly type: 'CartHandedOver';
      readonly data: {
        readonly to: string;
        readonly strategy: MergeStrategy;
        readonly items: readonly CartItem[];
        readonly currency: string | null;
        readonly note?: string;
      };
    }
  | {
      /** The events of the lines and of the note follow it. */
      readonly type: 'CartMerged';
      readonly data: {
        readonly from: string;
        readonly strategy: MergeStrategy;
        readonly leftOut: readonly LeftOutLine[];
        /** The note of the guest, where the user has another one. */
        readonly leftOutNote?: string;
      };
    };

/** `null` where the cart has no note. */
interface ChangedNote {
  readonly note: string | null;
  readonly previousNote: string | null;
}

/** Of what came from a guest: the guest. */
interface Merged {
  readonly mergedFrom?: string;
}

/** What of a guest's line did not fit into the cart, and which limit was in the way. */
export interface LeftOutLine extends Line {
  readonly code: 'line_limit_exceeded' | 'quantity_limit_exceeded' | 'currency_mismatch';
}

export type EventType = EventFact['type'];

/** An event in the log. The n-th event of a cart has version n. Instants are RFC 3339 in UTC with milliseconds. */
export type CartEvent = EventFact & {
  readonly version: number;
  readonly occurredAt: string;
  readonly commandId: string;
  readonly actor: string;
};

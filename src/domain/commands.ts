import type { CartItem } from './events';

/** What every command carries beside its own fields. `commandId` is the client's idempotency key. */
export interface Envelope {
  readonly commandId: string;
  readonly issuedAt: string;
  readonly actor: string;
  /** The version that the cart must still have; otherwise the command is rejected. */
  readonly expectedVersion?: number;
}

/** The product as the catalogue has it at this moment; the command side looks it up, never the browser. */
export interface AddItem extends Envelope {
  readonly type: 'addItem';
  readonly productId: string;
  readonly name: string;
  readonly unitPrice: number;
  readonly currency: string;
  readonly quantity: number;
  readonly maxQuantity?: number;
}

/** Makes the line's quantity what is given; 0 removes the line. */
export interface ChangeItemQuantity extends Envelope {
  readonly type: 'changeItemQuantity';
  readonly productId: string;
  readonly quantity: number;
  readonly maxQuantity?: number;
}

export interface RemoveItem extends Envelope {
  readonly type: 'removeItem';
  readonly productId: string;
}

export interface ClearCart extends Envelope {
  readonly type: 'clearCart';
}

/** Buys what is in the cart and empties it for the next purchase. */
export interface CheckOut extends Envelope {
  readonly type: 'checkOut';
}

/** Makes the cart what it was at `version`; the command side looks up what that was. */
export interface RestoreCart extends Envelope {
  readonly type: 'restoreCart';
  readonly version: number;
  readonly items: readonly CartItem[];
  readonly currency: string | null;
}

export type Command = AddItem | ChangeItemQuantity | RemoveItem | ClearCart | CheckOut | RestoreCart;
export type CommandType = Command['type'];

/** A command that could not be read. It is recorded as rejected. `payload` is a bounded excerpt of what arrived. */
export interface MalformedCommand {
  readonly type: string;
  readonly commandId?: string;
  readonly reason: string;
  readonly payload: string;
}

/** Whether the command could not be read, and so cannot be decided. */
export function isMalformed(command: Command | MalformedCommand): command is MalformedCommand {
  return 'payload' in command;
}

import type { BatchPlace } from './batch';
import type { CartItem } from './events';
import type { ProductFacts } from './facts';
import type { Attributes, LineRef } from './lines';

/** The fields that every command has. `commandId` is the client's idempotency key. */
export interface Envelope {
  readonly commandId: string;
  readonly issuedAt: string;
  readonly actor: string;
  /** The version that the cart must still have; with another version, the command is rejected. */
  readonly expectedVersion?: number;
  /** Several versions, of which the cart must still have one. */
  readonly expectedVersions?: readonly number[];
  /** In a batch, the expected version is that before the first of its commands. */
  readonly batch?: BatchPlace;
}

/** Name and price come from the catalogue, never from the browser: the command side looks them up. */
export interface AddItem extends Envelope {
  readonly type: 'addItem';
  readonly productId: string;
  readonly name: string;
  readonly unitPrice: number;
  readonly currency: string;
  readonly quantity: number;
  readonly maxQuantity?: number;
  readonly attributes?: Attributes | undefined;
}

/** As a part of a batch: a product that was not for sale, which the cart rejects. */
export interface AddUnavailable extends Envelope {
  readonly type: 'addItem';
  readonly productId: string;
  readonly quantity: number;
  readonly attributes?: Attributes | undefined;
  readonly available: false;
}

/**
 * What the command side looked up of the products that the command concerns. Without facts of a product, nothing of it
 * is sold and no quantity is raised.
 */
interface WithFacts {
  /** Absent in commands that were sent before version 0.5.0: those are decided without. */
  readonly facts?: readonly ProductFacts[];
}

/** Sets the line's quantity; 0 removes the line. */
export interface ChangeItemQuantity extends Envelope, WithFacts, LineRef {
  readonly type: 'changeItemQuantity';
  readonly quantity: number;
  /** In commands that were sent before version 0.5.0. */
  readonly maxQuantity?: number;
}

export interface RemoveItem extends Envelope, LineRef {
  readonly type: 'removeItem';
}

export interface ClearCart extends Envelope {
  readonly type: 'clearCart';
}

/** Sets the note of the cart; `null` removes it. */
export interface ChangeNote extends Envelope {
  readonly type: 'changeNote';
  readonly note: string | null;
}

/**
 * Buys all items and empties the cart for the next purchase. It is rejected where a line has changed since it was
 * added, unless `acceptChanges` takes the prices of today.
 */
export interface CheckOut extends Envelope, WithFacts {
  readonly type: 'checkOut';
  /** What the customer was shown, in minor units: the total that is recorded must be the same. */
  readonly expectedTotal?: number;
  readonly acceptChanges?: boolean;
}

/** Restores the items and the note of `version`; the command side looks them up. */
export interface RestoreCart extends Envelope {
  readonly type: 'restoreCart';
  readonly version: number;
  readonly items: readonly CartItem[];
  readonly currency: string | null;
  /** Absent in commands that were sent before version 0.5.0: those leave the note as it is. */
  readonly note?: string | null;
}

/** What becomes of the quantity of a product that both carts have. One that only the guest has is always added. */
export const mergeStrategies = ['sum', 'max', 'keep', 'replace'] as const;
export type MergeStrategy = (typeof mergeStrategies)[number];

/** Hands a guest's cart over to a user, and closes it. */
export interface HandOverCart extends Envelope {
  readonly type: 'handOverCart';
  readonly to: string;
  readonly strategy: MergeStrategy;
}

/** Puts into a cart what a guest handed over. It is made from the record of the hand-over, and of nothing else. */
export interface MergeCart extends Envelope {
  readonly type: 'mergeCart';
  readonly from: string;
  readonly strategy: MergeStrategy;
  readonly items: readonly CartItem[];
  readonly currency: string | null;
  readonly note?: string;
}

export type Command =
  | AddItem
  | AddUnavailable
  | ChangeItemQuantity
  | RemoveItem
  | ClearCart
  | ChangeNote
  | CheckOut
  | RestoreCart
  | HandOverCart
  | MergeCart;
export type CommandType = Command['type'];

/** A command that could not be read. It is recorded as rejected. `payload` is a bounded excerpt of what arrived. */
export interface MalformedCommand {
  readonly type: string;
  readonly commandId?: string;
  readonly reason: string;
  readonly payload: string;
}

/** A command that came again too late to be decided. It is recorded as rejected, for this reason. */
export interface SupersededCommand {
  readonly superseded: Command;
  readonly reason: string;
}

/** What a cart can get: each leads to one decision. */
export type IncomingCommand = Command | MalformedCommand | SupersededCommand;

/** Narrows to `AddItem`: a product that was for sale. */
export function isAddItem(command: Command): command is AddItem {
  return command.type === 'addItem' && !('available' in command);
}

/** Narrows to `MalformedCommand`. */
export function isMalformed(command: IncomingCommand): command is MalformedCommand {
  return 'payload' in command;
}

/** Narrows to `SupersededCommand`. */
export function isSuperseded(command: IncomingCommand): command is SupersededCommand {
  return 'superseded' in command;
}

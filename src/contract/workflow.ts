import type { Checkpoint, DecisionRef, RecordedDecision } from '../domain/handle';

/** The cart's workflow type: the name of the function in workflows/cart.ts. */
export const cartWorkflowType = 'cartWorkflow';

/** What a run passes to the next run. When the shape changes, increase `schema` and migrate older states. */
export interface CarriedState {
  readonly schema: 1;
  readonly checkpoint: Checkpoint;
  readonly unprojected: readonly RecordedDecision[];
  /** The last decision before the unprojected ones. Absent where there is none, or the run did not know it. */
  readonly projected?: DecisionRef;
}

/** The cart's workflow. The argument is the state of the previous run; without it, the run loads its checkpoint. */
export type CartWorkflow = (carried?: CarriedState) => Promise<void>;

/** Whether a value has the form of a carried state. What it says of the cart is compared with the record. */
export function isCarriedState(value: unknown): value is CarriedState {
  if (!isObject(value) || value.schema !== 1 || !Array.isArray(value.unprojected)) return false;
  const { checkpoint } = value;
  return (
    isObject(checkpoint) &&
    isObject(checkpoint.cart) &&
    Array.isArray(checkpoint.cart.items) &&
    Number.isSafeInteger(checkpoint.cart.version) &&
    Number.isSafeInteger(checkpoint.sequence) &&
    Array.isArray(checkpoint.recentCommandIds)
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

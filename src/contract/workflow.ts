import type { Checkpoint, DecisionRef, RecordedDecision } from '../domain/handle';
import { cartWorkflowId } from './ids';
import { isObject } from './objects';

/** The cart's workflow type: the name of the function in workflows/cart.ts. */
export const cartWorkflowType = 'cartWorkflow';

/**
 * The build id of every worker. Temporal notes with each task of a run the build that did it, so replaying a task is
 * told which steps it may take: raise the number where the workflow takes other steps than before.
 */
export const cartBuildId = 'cart-3';

/** The number in a worker's build id. Workers had none of this form before the number was 2. */
export const cartBuildOf = (buildId: string | undefined): number =>
  Number(/^cart-(\d+)$/.exec(buildId ?? '')?.[1] ?? 1);

/** A worker may be killed during a task: another one takes the task after this time. */
export const cartTaskTimeoutMs = 4_000;

/** How every client starts a cart. The following runs of the chain keep these options. */
export const cartStartOptions = (userId: string, taskQueue: string) => ({
  workflowId: cartWorkflowId(userId),
  taskQueue,
  workflowTaskTimeout: cartTaskTimeoutMs,
  staticSummary: `Cart of ${userId}`,
});

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
export const isCarriedState = (value: unknown): value is CarriedState =>
  isObject(value) && value.schema === 1 && Array.isArray(value.unprojected) && isCheckpoint(value.checkpoint);

/** Whether a value has the form of a checkpoint. */
export const isCheckpoint = (value: unknown): value is Checkpoint =>
  isObject(value) &&
  isObject(value.cart) &&
  Array.isArray(value.cart.items) &&
  Number.isSafeInteger(value.cart.version) &&
  Number.isSafeInteger(value.sequence) &&
  Array.isArray(value.recentCommandIds);

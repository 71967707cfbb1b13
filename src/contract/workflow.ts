import type { Checkpoint, RecordedDecision } from '../domain/handle';

/** The cart's workflow type: the name of the function in workflows/cart.ts. */
export const cartWorkflowType = 'cartWorkflow';

/** What a run passes to the next run. When the shape changes, increase `schema` and migrate older states. */
export interface CarriedState {
  readonly schema: 1;
  readonly checkpoint: Checkpoint;
  readonly unprojected: readonly RecordedDecision[];
}

/** The cart's workflow. The argument is the state of the previous run; without it, the run loads its checkpoint. */
export type CartWorkflow = (carried?: CarriedState) => Promise<void>;

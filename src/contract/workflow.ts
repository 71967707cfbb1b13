import type { Checkpoint, RecordedDecision } from '../domain/handle';

/** The cart's workflow type: the name of the function in workflows/cart.ts. */
export const cartWorkflowType = 'cartWorkflow';

/** What a run hands to the next one. When its shape changes, `schema` is raised and older states are migrated. */
export interface CarriedState {
  readonly schema: 1;
  readonly checkpoint: Checkpoint;
  readonly unprojected: readonly RecordedDecision[];
}

/** The cart's workflow as clients start it: with the state of the run before it, or with nothing where there was none. */
export type CartWorkflow = (carried?: CarriedState) => Promise<void>;

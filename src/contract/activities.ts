import type { Checkpoint, RecordedDecision } from '../domain/handle';

/** Consecutive decisions of one cart, in order. */
export interface Batch {
  readonly userId: string;
  readonly decisions: readonly RecordedDecision[];
}

/** The activities of a cart. Temporal stores their names and inputs in the history, so never rename one. */
export interface CartActivities {
  /** Reads a cart's checkpoint from Postgres, for the first run of a chain. An unused cart is empty, at version 0. */
  loadCheckpoint(userId: string): Promise<Checkpoint>;
  /** Projects the batch in one transaction. An attempt can run late, twice, or at the same time as another one. */
  projectCart(batch: Batch): Promise<void>;
  /** Stores a closed run's history in the archive. */
  archiveRun(run: { readonly workflowId: string; readonly runId: string }): Promise<void>;
}

/** The activity whose inputs are the cart's decisions. Rebuild, heal and verify read them from the history. */
export const projectCartActivity = 'projectCart' satisfies keyof CartActivities;

import type { Checkpoint, RecordedDecision } from '../domain/handle';

/** Consecutive decisions of one cart, in order. */
export interface Batch {
  readonly userId: string;
  readonly decisions: readonly RecordedDecision[];
}

/** The activities of a cart. Temporal stores their names and inputs in the history: rename none. */
export interface CartActivities {
  /** Where a cart's log stands in Postgres, for a run that begins a chain. A cart that nobody used is empty at version 0. */
  loadCheckpoint(userId: string): Promise<Checkpoint>;
  /** Projects the batch into Postgres, all of it or nothing. Each attempt may run late, twice or beside another. */
  projectCart(batch: Batch): Promise<void>;
  /** Stores a closed run's history in the archive. */
  archiveRun(run: { readonly workflowId: string; readonly runId: string }): Promise<void>;
}

/** The activity whose inputs hold a cart's decisions: rebuilding, healing and verifying read them from the history. */
export const projectCartActivity = 'projectCart' satisfies keyof CartActivities;

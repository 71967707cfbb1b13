import type { Checkpoint, DecisionRef, RecordedDecision } from '../domain/handle';

/** Consecutive decisions of one cart, in order. */
export interface Batch {
  readonly userId: string;
  readonly decisions: readonly RecordedDecision[];
  /**
   * The decision that these follow on; null where there is none or the run does not know it. Absent in batches of
   * runs that began before batches named it: those fail where the record is different, and are then sent again with
   * null.
   */
  readonly after?: DecisionRef | null;
}

/**
 * What became of a batch. `diverged`: the record does not have the decision that the batch follows on, or has some of
 * its commands already. Nothing was written then. `checkpoint` is where the record ends; it remembers those commands
 * of the batch that are on record. The run continues from it.
 */
export type ProjectionResult =
  | { readonly outcome: 'projected' }
  | { readonly outcome: 'diverged'; readonly checkpoint: Checkpoint };

/** The type of the failure that says of a batch without `after` what `diverged` says of others. */
export const divergedFailure = 'DivergedError';

/** The activities of a cart. Temporal stores their names and inputs in the history: rename none. */
export interface CartActivities {
  /**
   * Where a cart's log ends in Postgres, for a run that begins a chain. A cart that nobody used is empty at version
   * 0.
   */
  loadCheckpoint(userId: string): Promise<Checkpoint>;
  /** Projects the batch into Postgres, all of it or nothing. Each attempt may run late, twice or beside another. */
  projectCart(batch: Batch): Promise<ProjectionResult>;
  /** Stores a closed run's history in the archive. */
  archiveRun(run: { readonly workflowId: string; readonly runId: string }): Promise<void>;
}

/** The activity whose inputs hold a cart's decisions: rebuilding, healing and verifying read them from the history. */
export const projectCartActivity = 'projectCart' satisfies keyof CartActivities;

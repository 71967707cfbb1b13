import type { IncomingCommand } from '../domain/commands';
import type { Checkpoint, DecisionRef, RecordedDecision } from '../domain/handle';
import { isObject } from './objects';
import { isCheckpoint } from './workflow';

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

/**
 * Commands that earlier runs of a cart received and left behind when they were terminated, failed, timed out or were
 * reset, oldest first. Those that are on record are left out.
 */
export interface LeftBehind {
  readonly commands: readonly IncomingCommand[];
  /** Whether these are all. If not, the run asks again after it has projected these. */
  readonly isComplete: boolean;
}

/** Where a cart's log ends in Postgres, and what earlier runs left behind. */
export interface LoadedCart {
  readonly checkpoint: Checkpoint;
  readonly leftBehind: LeftBehind;
}

export const isLeftBehind = (value: unknown): value is LeftBehind =>
  isObject(value) && Array.isArray(value.commands) && typeof value.isComplete === 'boolean';

/** Before version 0.3.0 the activity returned the checkpoint alone. */
export const isLoadedCart = (value: unknown): value is LoadedCart | Checkpoint =>
  isCheckpoint(value) || (isObject(value) && isCheckpoint(value.checkpoint) && isLeftBehind(value.leftBehind));

/** The activities of a cart. Temporal stores their names and inputs in the history: rename none. */
export interface CartActivities {
  /**
   * For a run that begins a chain: first projects the decisions that Postgres lost, as after restoring an older backup.
   * A cart that nobody used is empty at version 0.
   */
  loadCheckpoint(userId: string): Promise<LoadedCart | Checkpoint>;
  /** For a run that is asked to take over what earlier runs left behind. All its own decisions must be projected. */
  readLeftBehind(userId: string): Promise<LeftBehind>;
  /** Projects the batch into Postgres, all of it or nothing. Each attempt may run late, twice or beside another. */
  projectCart(batch: Batch): Promise<ProjectionResult>;
  /** Stores a closed run's history in the archive. */
  archiveRun(run: { readonly workflowId: string; readonly runId: string }): Promise<void>;
}

/** The activity whose inputs hold a cart's decisions: rebuilding, healing and verifying read them from the history. */
export const projectCartActivity = 'projectCart' satisfies keyof CartActivities;

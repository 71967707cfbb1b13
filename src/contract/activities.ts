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

/** What a history has of a batch. */
export type StoredBatch = Pick<Batch, 'decisions' | 'after'>;

/**
 * What became of a batch. `diverged`: the record does not have the decision that the batch follows on, or has some of
 * its commands already. Nothing was written then. `checkpoint` is where the record ends; it remembers those commands
 * of the batch that are on record. The run continues from it.
 */
export type ProjectionResult = { readonly outcome: 'projected' } | Diverged;

export type Diverged = { readonly outcome: 'diverged' } & RecordEnd;

/** Where a cart's record ends. */
export interface RecordEnd {
  readonly checkpoint: Checkpoint;
  /**
   * The last decisions on record. A worker can be killed after it projected a batch at once and before the history has
   * it: the decisions are then in the history of the run that continues from them. Absent before version 0.4.0.
   */
  readonly lastBatch?: StoredBatch;
}

/**
 * As `ProjectionResult`, of a local activity: its result is in the history, its input is not. So the result has the
 * decisions, which are on record then.
 */
export type ProjectionAtOnce = ({ readonly outcome: 'projected' } & StoredBatch) | Diverged;

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

/**
 * What earlier runs left behind, and the last decisions on record: an ended run may have made them without its history
 * having them. Absent before version 0.5.0.
 */
export type LeftBehindNow = LeftBehind & Pick<RecordEnd, 'lastBatch'>;

/** Where a cart's record ends, and what earlier runs left behind. */
export interface LoadedCart extends RecordEnd {
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
   * @param now milliseconds by Temporal's clock; without it, the time at which the attempt was scheduled.
   */
  loadCheckpoint(userId: string, now?: number): Promise<LoadedCart | Checkpoint>;
  /** For a run that is asked to take over what earlier runs left behind. All its own decisions must be projected. */
  readLeftBehind(userId: string): Promise<LeftBehindNow>;
  /** Projects the batch into Postgres, all of it or nothing. Each attempt may run late, twice or beside another. */
  projectCart(batch: Batch): Promise<ProjectionResult>;
  /** As `projectCart`, as a local activity. It fails where Postgres lacks earlier decisions or the cart is parked. */
  projectAtOnce(batch: Batch): Promise<ProjectionAtOnce>;
  /** Sends to a user's cart what this guest has handed over, as it is on record. */
  mergeHandedOver(guestId: string): Promise<void>;
  /** Stores a closed run's history in the archive. */
  archiveRun(run: { readonly workflowId: string; readonly runId: string }): Promise<void>;
}

/** The regular activity whose inputs hold a cart's decisions: rebuilding, healing and verifying read them there. */
export const projectCartActivity = 'projectCart' satisfies keyof CartActivities;

import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Knex } from 'knex';
import {
  type Batch,
  type Diverged,
  divergedFailure,
  type ProjectionAtOnce,
  type ProjectionResult,
} from '../src/contract/activities';
import { type DecisionRef, isSameDecision } from '../src/domain/handle';
import { readRecordEnd } from '../src/postgres/log/checkpoint';
import { recordFork } from '../src/postgres/log/forks';
import { readRecordedRefs } from '../src/postgres/log/recorded';
import { isGapAccepted } from '../src/postgres/log/repairs';
import { BrokenChainError } from '../src/postgres/projection/chain-log';
import { projectAcrossGap, type ReadDecisions } from '../src/postgres/projection/fill-gap';
import type { Projector } from '../src/postgres/projection/group-commits';
import { type BatchOutcome, type Divergence, GapError } from '../src/postgres/projection/project';

/** Ends the run that this activity belongs to if its history does not have this decision. @returns whether it did. */
export type EndIfLost = (after: DecisionRef) => Promise<boolean>;

/**
 * Projects a batch into Postgres, all of it or nothing, and notifies who waits for it. Each attempt may run late,
 * twice or beside another: what is on record already stays as it is. Where the record went another way than the run,
 * the run gets the record's checkpoint. Where Postgres lost earlier decisions, as after restoring an older backup,
 * they are taken from the histories; where these do not have them, the cart is parked: Temporal retries its
 * projection until it succeeds. A run that has lost its way is ended.
 */
export const createProjectCart =
  (db: Knex, projectInGroups: Projector, readDecisions: ReadDecisions, endIfLost: EndIfLost) =>
  async (batch: Batch): Promise<ProjectionResult> => {
    const outcome = await projectWithGaps(db, projectInGroups, batch, readDecisions);
    if ('added' in outcome) return { outcome: 'projected' };
    if ('broken' in outcome) throw await park(db, batch, outcome.broken);
    const ground = await readMissingGround(db, batch);
    if (ground && (await endIfLost(ground))) throw new Error('The run was ended: it had lost its way.');
    if ('gap' in outcome) throw await park(db, batch, outcome.gap);
    return toDiverged(outcome.diverged);
  };

/**
 * As `projectCart`, for a batch that is projected within the task that decided it: gives up where it would take long.
 * The regular activity then finds the cart as it is.
 */
export const createProjectAtOnce =
  (db: Knex, projectInGroups: Projector) =>
  async (batch: Batch): Promise<ProjectionAtOnce> => {
    const outcome = await projectInGroups(batch, Context.current().cancellationSignal);
    if ('gap' in outcome) throw outcome.gap;
    if ('broken' in outcome) throw outcome.broken;
    if ('diverged' in outcome) {
      if (await readMissingGround(db, batch)) throw ApplicationFailure.create({ message: outcome.diverged.reason });
      return toDiverged(outcome.diverged);
    }
    const { decisions, after } = batch;
    return { outcome: 'projected', decisions, ...(after === undefined ? {} : { after }) };
  };

/** The decision that a batch follows on, where its run made that itself and it is not on record. */
async function readMissingGround(db: Knex, batch: Batch): Promise<DecisionRef | undefined> {
  const { after, decisions } = batch;
  if (!after || after.runId !== decisions[0]!.runId) return undefined;
  const recorded = await readRecordedRefs(db, [batch]);
  return recorded.get(batch)!.some((ref) => isSameDecision(ref, after)) ? undefined : after;
}

function toDiverged({ reason, end }: Divergence): Diverged {
  if (end === undefined) throw ApplicationFailure.nonRetryable(reason, divergedFailure);
  return { outcome: 'diverged', ...end };
}

async function projectWithGaps(
  db: Knex,
  projectInGroups: Projector,
  batch: Batch,
  readDecisions: ReadDecisions,
): Promise<BatchOutcome> {
  const outcome = await projectInGroups(batch);
  if (!('gap' in outcome)) return outcome;
  try {
    return await projectAcrossGap(db, batch, outcome.gap, readDecisions);
  } catch (error) {
    if (!(error instanceof GapError)) throw error;
    return (await isGapAccepted(db, batch.userId, error.after + 1)) ? readRecord(db, batch, error) : { gap: error };
  }
}

/** A person has accepted that the decisions in the gap are lost: the run continues from the record. */
async function readRecord(db: Knex, { userId, after }: Batch, { message }: GapError): Promise<BatchOutcome> {
  return { diverged: { reason: message, ...(after !== undefined && { end: await readRecordEnd(db, userId) }) } };
}

/** Records that the cart is parked. @returns the error that says why. */
async function park(db: Knex, { userId, decisions }: Batch, error: GapError | BrokenChainError): Promise<Error> {
  const isLasting = error instanceof BrokenChainError;
  await recordFork(db, { userId, runId: decisions[0]!.runId, message: error.message, isLasting });
  return error;
}

import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Knex } from 'knex';
import {
  type Batch,
  type Diverged,
  divergedFailure,
  type ProjectionAtOnce,
  type ProjectionResult,
} from '../src/contract/activities';
import { readRecordEnd } from '../src/postgres/log/checkpoint';
import { recordFork } from '../src/postgres/log/forks';
import { isGapAccepted } from '../src/postgres/log/repairs';
import { BrokenChainError } from '../src/postgres/projection/chain-log';
import { projectAcrossGap, type ReadDecisions } from '../src/postgres/projection/fill-gap';
import type { Projector } from '../src/postgres/projection/group-commits';
import { type BatchOutcome, type Divergence, GapError } from '../src/postgres/projection/project';

/**
 * Projects a batch into Postgres, all of it or nothing, and notifies who waits for it. Each attempt may run late,
 * twice or beside another: what is on record already stays as it is. Where the record went another way than the run,
 * the run gets the record's checkpoint. Where Postgres lost earlier decisions, as after restoring an older backup,
 * they are taken from the histories; where these do not have them, the cart is parked: Temporal retries its
 * projection until it succeeds.
 */
export const createProjectCart =
  (db: Knex, projectInGroups: Projector, readDecisions: ReadDecisions) =>
  async (batch: Batch): Promise<ProjectionResult> => {
    const outcome = await projectWithGaps(db, projectInGroups, batch, readDecisions);
    if ('added' in outcome) return { outcome: 'projected' };
    if ('gap' in outcome) throw outcome.gap;
    if ('broken' in outcome) throw await park(db, batch, outcome.broken);
    return toDiverged(outcome.diverged);
  };

/**
 * As `projectCart`, for a batch that is projected within the task that decided it: gives up where it would take long.
 * The regular activity then finds the cart as it is.
 */
export const createProjectAtOnce =
  (projectInGroups: Projector) =>
  async (batch: Batch): Promise<ProjectionAtOnce> => {
    const outcome = await projectInGroups(batch, Context.current().cancellationSignal);
    if ('gap' in outcome) throw outcome.gap;
    if ('broken' in outcome) throw outcome.broken;
    if ('diverged' in outcome) return toDiverged(outcome.diverged);
    const { decisions, after } = batch;
    return { outcome: 'projected', decisions, ...(after === undefined ? {} : { after }) };
  };

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
    if (await isGapAccepted(db, batch.userId, error.after + 1)) return readRecord(db, batch, error);
    throw await park(db, batch, error);
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

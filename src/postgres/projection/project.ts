import type { Knex } from 'knex';
import type { Batch } from '../../contract/activities';
import type { RecordedDecision } from '../../domain/handle';
import { ForkError, findFork, readStoredParts } from '../log/compare-log';
import { foldDecisions, type ProjectedRows } from './fold';
import { type LockedCart, lockCarts } from './lock-carts';
import { writeRows } from './write';

/** Postgres lacks decisions between those it has and those to be projected. */
export class GapError extends Error {
  override readonly name = 'GapError';

  /** @param after the last decision that Postgres has before the gap. */
  constructor(
    message: string,
    readonly after: number,
  ) {
    super(message);
  }
}

/** How many of a batch's decisions were new, or why none of them was written. */
export type BatchOutcome = { readonly added: number } | { readonly error: ForkError | GapError };

/**
 * Projects batches of different carts in this transaction: locks the carts, compares what Postgres already has with the
 * batches, folds the new decisions, writes the log and the read model, and notifies who waits for them. Decisions that
 * Postgres has are skipped, so that a repeated, late or parallel call changes nothing.
 * @returns the outcome of each batch, in order: ForkError where Postgres has something else at the same place, GapError
 * where decisions before the batch are missing. Nothing is written of such a batch.
 */
export async function projectBatches(trx: Knex.Transaction, batches: readonly Batch[]): Promise<BatchOutcome[]> {
  const carts = await lockCarts(
    trx,
    batches.map((batch) => batch.userId),
  );
  const parts = batches.map((batch) => splitAtHead(carts.get(batch.userId)!, batch));
  const errors = await compareKnown(trx, parts);
  const rows: ProjectedRows[] = [];
  const outcomes = parts.map((part): BatchOutcome => {
    const error = errors.get(part.userId) ?? findBreak(part);
    if (error !== undefined) return { error };
    if (part.fresh.length > 0) rows.push(foldDecisions(part.locked, part.fresh));
    return { added: part.fresh.length };
  });
  if (rows.length > 0) await writeRows(trx, rows);
  return outcomes;
}

/** As `projectBatches`, for one cart. @returns how many decisions were new. @throws ForkError or GapError. */
export async function project(
  trx: Knex.Transaction,
  userId: string,
  decisions: readonly RecordedDecision[],
): Promise<number> {
  const [outcome] = await projectBatches(trx, [{ userId, decisions }]);
  if ('error' in outcome!) throw outcome.error;
  return outcome!.added;
}

/** A batch, split into the decisions that Postgres has a decision in the place of, and the new ones. */
interface SplitBatch {
  readonly userId: string;
  readonly locked: LockedCart;
  readonly known: readonly RecordedDecision[];
  readonly fresh: readonly RecordedDecision[];
}

function splitAtHead(locked: LockedCart, { userId, decisions }: Batch): SplitBatch {
  const known = decisions.filter((decision) => decision.sequence <= locked.sequence);
  return { userId, locked, known, fresh: decisions.slice(known.length) };
}

/** @returns by user, the first place where Postgres has something else than a batch. */
async function compareKnown(
  trx: Knex.Transaction,
  batches: readonly SplitBatch[],
): Promise<ReadonlyMap<string, ForkError>> {
  const repeated = batches.filter(({ known }) => known.length > 0);
  const errors = new Map<string, ForkError>();
  if (repeated.length === 0) return errors;
  const logs = repeated.map(({ userId, known }) => ({ userId, decisions: known }));
  const stored = await readStoredParts(trx, logs);
  for (const [index, { userId, decisions }] of logs.entries()) {
    const error = findFork(stored[index]!.part, decisions);
    if (error !== undefined) errors.set(userId, error);
  }
  return errors;
}

/** Why the new decisions do not follow on the last one that Postgres has; undefined where they do. */
function findBreak({ userId, locked, fresh }: SplitBatch): ForkError | GapError | undefined {
  const { sequence, cart } = locked;
  const gap = fresh.find((decision, index) => decision.sequence !== sequence + 1 + index);
  if (gap !== undefined) {
    return new GapError(
      `Postgres has ${sequence} decisions of cart ${userId}; decision ${gap.sequence} cannot follow. ` +
        'Postgres has lost some, as after restoring an older backup.',
      sequence,
    );
  }
  const firstVersion = fresh.flatMap((decision) => decision.events).at(0)?.version;
  if (firstVersion === undefined || firstVersion === cart.version + 1) return undefined;
  return new ForkError(
    `Postgres has cart ${userId} at version ${cart.version} after ${sequence} decisions; the workflow continues with ` +
      `version ${firstVersion}.`,
  );
}

import type { Knex } from 'knex';
import type { Batch } from '../../contract/activities';
import type { RecordedDecision } from '../../domain/handle';
import { ForkError, findFork, readStoredParts } from '../log/compare-log';
import { foldDecisions, type ProjectedRows } from './fold';
import { type LockedCart, lockCarts } from './lock-carts';
import { writeRows } from './write';

/** Postgres lacks decisions between those it has and those that are projected. */
export class GapError extends Error {
  override readonly name = 'GapError';

  /** @param after the sequence of the last decision before the gap. */
  constructor(
    message: string,
    readonly after: number,
  ) {
    super(message);
  }
}

/** How many of a batch's decisions were new, or the error because of which none of them was written. */
export type BatchOutcome = { readonly added: number } | { readonly error: ForkError | GapError };

/**
 * Projects batches of different carts in this transaction. It locks the carts, compares the batches with the log in
 * Postgres, folds the new decisions, writes the log and the read model, and notifies the listeners. It skips decisions
 * that Postgres already has, so a repeated, late or parallel call changes nothing.
 * @returns the outcome of each batch, in order: ForkError if Postgres has something else at the same place, GapError if
 * decisions before the batch are missing. Such a batch is not written at all.
 */
export async function projectBatches(trx: Knex.Transaction, batches: readonly Batch[]): Promise<BatchOutcome[]> {
  const carts = await lockCarts(
    trx,
    batches.map((batch) => batch.userId),
  );
  const parts = batches.map((batch) => splitAtHead(carts.get(batch.userId)!, batch));
  const forks = await findForks(trx, parts);
  const rows: ProjectedRows[] = [];
  const outcomes = parts.map((part): BatchOutcome => {
    const error = forks.get(part.userId) ?? findGapOrFork(part);
    if (error !== undefined) return { error };
    if (part.newDecisions.length > 0) rows.push(foldDecisions(part.locked, part.newDecisions));
    return { added: part.newDecisions.length };
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

/** A batch in two parts: decisions at places where Postgres has a decision already, and new decisions. */
interface SplitBatch {
  readonly userId: string;
  readonly locked: LockedCart;
  readonly repeated: readonly RecordedDecision[];
  readonly newDecisions: readonly RecordedDecision[];
}

function splitAtHead(locked: LockedCart, { userId, decisions }: Batch): SplitBatch {
  const repeated = decisions.filter((decision) => decision.sequence <= locked.sequence);
  return { userId, locked, repeated, newDecisions: decisions.slice(repeated.length) };
}

/** Compares the repeated decisions with Postgres. @returns the first difference of each user who has one. */
async function findForks(
  trx: Knex.Transaction,
  batches: readonly SplitBatch[],
): Promise<ReadonlyMap<string, ForkError>> {
  const logs = batches
    .filter(({ repeated }) => repeated.length > 0)
    .map(({ userId, repeated }) => ({ userId, decisions: repeated }));
  const forks = new Map<string, ForkError>();
  if (logs.length === 0) return forks;
  const stored = await readStoredParts(trx, logs);
  for (const [index, { userId, decisions }] of logs.entries()) {
    const fork = findFork(stored[index]!.part, decisions);
    if (fork !== undefined) forks.set(userId, fork);
  }
  return forks;
}

/** Checks that the new decisions continue the log in Postgres. Returns undefined if they do. */
function findGapOrFork({ userId, locked, newDecisions }: SplitBatch): ForkError | GapError | undefined {
  const { sequence, cart } = locked;
  const gap = newDecisions.find((decision, index) => decision.sequence !== sequence + 1 + index);
  if (gap !== undefined) {
    return new GapError(
      `Postgres has ${sequence} decisions of cart ${userId}; decision ${gap.sequence} cannot follow. ` +
        'Postgres has lost some, for example because an older backup was restored.',
      sequence,
    );
  }
  const firstVersion = newDecisions.flatMap((decision) => decision.events).at(0)?.version;
  if (firstVersion === undefined || firstVersion === cart.version + 1) return undefined;
  return new ForkError(
    `Postgres has cart ${userId} at version ${cart.version} after ${sequence} decisions; the workflow continues with ` +
      `version ${firstVersion}.`,
  );
}

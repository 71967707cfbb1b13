import type { Knex } from 'knex';
import type { Batch } from '../../contract/activities';
import type { RecordedDecision } from '../../domain/handle';
import { type BatchOutcome, GapError, project, projectBatches } from './project';

/** Reads the decisions of a cart between two sequences that Temporal's histories, live or archived, have, in order. */
export type ReadDecisions = (
  userId: string,
  range: { readonly after: number; readonly before: number },
) => Promise<readonly RecordedDecision[]>;

/**
 * Projects a batch before which Postgres lacks decisions: those from the histories first, then the batch.
 * @throws GapError where the histories do not have them either. Nothing is written then.
 */
export async function projectAcrossGap(
  db: Knex,
  batch: Batch,
  gap: GapError,
  readDecisions: ReadDecisions,
): Promise<BatchOutcome> {
  const { userId, decisions } = batch;
  const first = decisions[0]!.sequence;
  const missing = await readDecisions(userId, { after: gap.after, before: first });
  const missingCount = first - gap.after - 1;
  if (missing.length !== missingCount) {
    throw new GapError(
      `${gap.message} Temporal's histories have only ${missing.length} of the ${missingCount} that are missing.`,
      gap.after,
    );
  }
  return db.transaction(async (trx) => {
    await project(trx, userId, missing);
    const [outcome] = await projectBatches(trx, [batch]);
    return outcome!;
  });
}

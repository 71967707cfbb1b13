import type { Knex } from 'knex';
import type { Batch } from '../../contract/activities';
import type { RecordedDecision } from '../../domain/handle';
import { GapError, project } from './project';

/** Reads the decisions of a cart after a sequence that Temporal's histories, live or archived, still have, in order. */
export type ReadDecisions = (userId: string, after: number) => Promise<readonly RecordedDecision[]>;

/**
 * Projects a batch before which Postgres lacks decisions: those from the histories first, then the batch.
 * @returns how many decisions were new.
 * @throws GapError where the histories do not have them either.
 */
export async function projectAcrossGap(
  db: Knex,
  { userId, decisions }: Batch,
  gap: GapError,
  readDecisions: ReadDecisions,
): Promise<number> {
  const first = decisions[0]!.sequence;
  const missing = (await readDecisions(userId, gap.after)).filter(({ sequence }) => sequence < first);
  const missingCount = first - gap.after - 1;
  if (missing.length !== missingCount) {
    throw new GapError(
      `${gap.message} Temporal's histories have only ${missing.length} of the ${missingCount} that are missing.`,
      gap.after,
    );
  }
  return db.transaction((trx) => project(trx, userId, [...missing, ...decisions]));
}

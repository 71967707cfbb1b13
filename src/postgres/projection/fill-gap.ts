import type { Knex } from 'knex';
import type { Batch } from '../../contract/activities';
import type { RecordedDecision } from '../../domain/handle';
import { GapError, project } from './project';

/** Reads the decisions of a cart with a sequence greater than `after` from live and archived histories, in order. */
export type ReadDecisions = (userId: string, after: number) => Promise<readonly RecordedDecision[]>;

/**
 * Projects a batch if Postgres lacks the decisions before it. Those are read from the histories and projected with it.
 * @returns how many decisions were new.
 * @throws GapError if the histories do not have all of them.
 */
export async function projectAcrossGap(
  db: Knex,
  { userId, decisions }: Batch,
  gap: GapError,
  readDecisions: ReadDecisions,
): Promise<number> {
  const first = decisions[0]!.sequence;
  const found = (await readDecisions(userId, gap.after)).filter(({ sequence }) => sequence < first);
  const missingCount = first - gap.after - 1;
  if (found.length !== missingCount) {
    throw new GapError(
      `${gap.message} The histories have only ${found.length} of the ${missingCount} that are missing.`,
      gap.after,
    );
  }
  return db.transaction((trx) => project(trx, userId, [...found, ...decisions]));
}

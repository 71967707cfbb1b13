import type { Knex } from 'knex';
import type { Batch } from '../src/contract/activities';
import { ForkError } from '../src/postgres/log/compare-log';
import { recordFork } from '../src/postgres/log/forks';
import { projectAcrossGap, type ReadDecisions } from '../src/postgres/projection/fill-gap';
import { createProjector } from '../src/postgres/projection/group-commits';

/**
 * Projects a batch into Postgres in one transaction and notifies the waiting readers. An attempt can run late, twice,
 * or at the same time as another one, so decisions that Postgres already has are skipped. If Postgres lost earlier
 * decisions, for example because an older backup was restored, they are read from the histories. A fork is recorded and
 * nothing is overwritten: Temporal retries the projection of that cart until a person decides which side is right.
 */
export const createProjectCart = (db: Knex, readDecisions: ReadDecisions) => {
  const projectInGroups = createProjector(db);
  return async (batch: Batch): Promise<void> => {
    const outcome = await projectInGroups(batch);
    if (!('error' in outcome)) return;
    const { error } = outcome;
    if (error instanceof ForkError) {
      await recordFork(db, batch.userId, batch.decisions[0]!.runId, error.message);
      throw error;
    }
    await projectAcrossGap(db, batch, error, readDecisions);
  };
};

import type { Knex } from 'knex';
import type { Batch } from '../src/contract/activities';
import { ForkError } from '../src/postgres/log/compare-log';
import { recordFork } from '../src/postgres/log/forks';
import { projectAcrossGap, type ReadDecisions } from '../src/postgres/projection/fill-gap';
import { createProjector } from '../src/postgres/projection/group-commits';

/**
 * Projects a batch into Postgres, all of it or nothing, and notifies who waits for it. Each attempt may run late, twice or
 * beside another: what Postgres has already is left as it is. Where Postgres lost earlier decisions, as after restoring an
 * older backup, they are taken from the histories. A fork is recorded and nothing is overwritten: Temporal retries the
 * projection of that cart until a person has decided which side is right.
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

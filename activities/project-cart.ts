import type { Knex } from 'knex';
import { ForkError } from '../src/postgres/fork';
import { recordFork } from '../src/postgres/forks';
import type { Batch } from '../src/postgres/project';
import { createProjector } from '../src/postgres/projector';
import { projectAcrossGap, type ReadDecisions } from '../src/recovery/heal';

/**
 * Projects decisions of one cart into Postgres, all of them or none, and tells who waits for them. Any attempt may run late,
 * twice or beside another: what is there already is left as it is. Where Postgres lost earlier decisions, as after restoring an
 * older backup, they are taken from the histories. A fork is noted and never overwritten: the cart's projection waits, tried
 * again and again, until a person has decided which side holds.
 */
export const createProjectCart = (db: Knex, readDecisions: ReadDecisions) => {
  const projectInGroups = createProjector(db);
  return async ({ userId, decisions }: Batch): Promise<void> => {
    const outcome = await projectInGroups({ userId, decisions });
    if (!('error' in outcome)) return;
    const { error } = outcome;
    if (error instanceof ForkError) {
      await recordFork(db, userId, decisions[0]!.runId, error.message);
      throw error;
    }
    await projectAcrossGap(db, userId, decisions, error, readDecisions);
  };
};

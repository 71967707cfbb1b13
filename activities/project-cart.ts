import type { Knex } from 'knex';
import type { RecordedDecision } from '../src/domain/handle';
import { announceProjection } from '../src/postgres/announcements';
import { ForkError } from '../src/postgres/fork';
import { recordFork } from '../src/postgres/forks';
import { GapError, project } from '../src/postgres/project';
import { projectAcrossGap, type ReadDecisions } from '../src/recovery/heal';

export interface ProjectCartInput {
  readonly userId: string;
  readonly decisions: readonly RecordedDecision[];
}

/**
 * Projects decisions of one cart into Postgres, all of them or none, and tells who waits for them. Any attempt may run late,
 * twice or beside another: what is there already is left as it is. Where Postgres lost earlier decisions, as after restoring an
 * older backup, they are taken from the histories. A fork is noted and never overwritten: the cart's projection waits, tried
 * again and again, until a person has decided which side holds.
 */
export const createProjectCart =
  (db: Knex, readDecisions: ReadDecisions) =>
  async ({ userId, decisions }: ProjectCartInput): Promise<void> => {
    try {
      await db.transaction(async (trx) => {
        const added = await project(trx, userId, decisions);
        if (added > 0) await announceProjection(trx, userId);
      });
    } catch (error) {
      if (error instanceof ForkError) await recordFork(db, userId, decisions[0]!.runId, error.message);
      if (!(error instanceof GapError)) throw error;
      await projectAcrossGap(db, userId, decisions, error, readDecisions);
    }
  };
